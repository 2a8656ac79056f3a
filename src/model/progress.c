/* progress.c - see progress.h. */
#include "model/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_CELLS = 24, REDRAW_MS = 100 };

static void draw(const struct progress *p, int64_t at)
{
    static const char full[] = "########################";
    static const char empty[] = "------------------------";
    const double mib = 1024.0 * 1024.0;
    int64_t elapsed_ms = mono_ms_between(p->begun, clock_mono());
    double rate =
        elapsed_ms > 0 ? (double)(at - p->begun_at) / mib * 1000.0 / (double)elapsed_ms : 0;
    if (p->total > 0) {
        double share = (double)at / (double)p->total;
        int cells = (int)(share * BAR_CELLS);
        cells = cells < 0 ? 0 : cells > BAR_CELLS ? BAR_CELLS : cells;
        (void)fprintf(stderr, "\r%-28.28s [%.*s%.*s] %3d%%  %.1f of %.1f MiB, %.1f MiB/s ", p->what,
                      cells, full, BAR_CELLS - cells, empty, (int)(share * 100), (double)at / mib,
                      (double)p->total / mib, rate);
    } else {
        (void)fprintf(stderr, "\r%-28.28s %.1f MiB, %.1f MiB/s ", p->what, (double)at / mib, rate);
    }
    (void)fflush(stderr);
}

void progress_begin(struct progress *progress, const char *what, int64_t begun_at, int64_t total)
{
    struct mono now = clock_mono();
    *progress = (struct progress){.what = what,
                                  .total = total,
                                  .begun_at = begun_at,
                                  .begun = now,
                                  .shown = now,
                                  .on = isatty(STDERR_FILENO) == 1};
}

void progress_show(struct progress *progress, int64_t at)
{
    struct mono now = clock_mono();
    if (progress->on && mono_ms_between(progress->shown, now) >= REDRAW_MS) {
        progress->shown = now;
        draw(progress, at);
    }
}

void progress_end(struct progress *progress, int64_t at)
{
    if (progress->on) {
        draw(progress, at);
        (void)fputc('\n', stderr);
    }
}

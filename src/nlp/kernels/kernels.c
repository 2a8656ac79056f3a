/* kernels.c - choosing a table, and the scratch that all tables need. */
#include "nlp/kernels/kernels.h"

#include <stdio.h>
#include <string.h>

static const struct kernels *const tables[] = {
#if defined(__x86_64__)
    &kernels_x86_avx512bf16,
    &kernels_x86_avx512vnni,
    &kernels_x86_avx512,
    &kernels_x86_avx2,
#elif defined(__aarch64__)
    &kernels_neon,
#endif
    &kernels_ref,
};

enum { TABLE_COUNT = sizeof tables / sizeof tables[0], NAMES_BYTES = 128 };

static bool runs_here(const struct kernels *table, unsigned cpu_flags)
{
    return (table->cpu_flags & ~cpu_flags) == 0;
}

const struct kernels *kernels_at(size_t index)
{
    return index < TABLE_COUNT ? tables[index] : NULL;
}

const struct kernels *kernels_select(unsigned cpu_flags)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (runs_here(tables[i], cpu_flags)) {
            return tables[i];
        }
    }
    return &kernels_ref;
}

static void list_names(unsigned cpu_flags, char *out, size_t out_bytes)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < TABLE_COUNT && used < out_bytes; i++) {
        if (runs_here(tables[i], cpu_flags)) {
            int wrote =
                snprintf(out + used, out_bytes - used, "%s%s", used ? ", " : "", tables[i]->name);
            used += wrote > 0 ? (size_t)wrote : 0;
        }
    }
}

int kernels_find(const char *name, unsigned cpu_flags, const struct kernels **kernels,
                 struct error *err)
{
    if (!name) {
        *kernels = kernels_select(cpu_flags);
        return 0;
    }
    char names[NAMES_BYTES];
    list_names(cpu_flags, names, sizeof names);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(tables[i]->name, name) != 0) {
            continue;
        }
        if (!runs_here(tables[i], cpu_flags)) {
            return error_set(err, ERROR_UNSUPPORTED,
                             "kernels \"%s\" need instructions this CPU lacks; it runs: %s", name,
                             names);
        }
        *kernels = tables[i];
        return 0;
    }
    return error_set(err, ERROR_CONFIG, "there are no kernels named \"%s\"; this CPU runs: %s",
                     name, names);
}

static size_t round_to_panel(size_t count)
{
    return (count + KERNELS_PANEL - 1) / KERNELS_PANEL * KERNELS_PANEL;
}

size_t kernels_attention_floats(size_t keys, size_t width)
{
    size_t key_columns = round_to_panel(keys);
    size_t value_columns = round_to_panel(width);
    enum { ROWS_AT_ONCE = 12 }; /* the most queries that a table weighs together */
    return key_columns * width + value_columns * keys + ROWS_AT_ONCE * key_columns;
}

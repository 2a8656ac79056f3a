/* segment.c - see segment.h. */
#include "mood/segment.h"

const char *speaker_name(enum speaker speaker)
{
    switch (speaker) {
    case SPEAKER_CUSTOMER:
        return "customer";
    case SPEAKER_AGENT:
        return "agent";
    case SPEAKER_UNKNOWN:
        break;
    }
    return "unknown";
}

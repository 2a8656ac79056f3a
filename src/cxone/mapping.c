/* mapping.c - see mapping.h. */
#include "cxone/mapping.h"

#include "base/json.h"

void cxone_mapping_default(struct cxone_mapping *mapping)
{
    *mapping = (struct cxone_mapping){
        .segments = {{""}},
        .text = {{"/text"}},
        .start = {{"/startTime"}},
        .end = {{"/endTime"}},
        .direction = {{"/direction"}},
        .final = {{"/isFinal"}},
        .id = {{"/id", "/segmentId", "/utteranceId"}},
        .language = {{"/languageCode", "/language"}},
        .time_format = CXONE_TIME_EPOCH_MS,
        .contacts = {{""}},
        .contact_id = {{"/interactionId"}},
        .contact_state = {{"/state"}},
        .contact_since = {{"/stateSince"}},
        .contact_master = {{"/masterInteractionId"}},
        .contact_queue = {{"/queue"}},
        .contact_language = {{"/language"}},
        .token = {{"/access_token"}},
        .token_lifetime = {{"/expires_in"}},
        .token_refresh = {{"/refresh_token"}},
        .tracking = {{"/suggestionId", "/trackingId", "/id", "/suggestions/0/id"}},
    };
}

const struct json *mapping_find(const struct json *value, const struct cxone_pointers *pointers)
{
    for (size_t i = 0; i < CXONE_POINTERS_MAX && pointers->at[i]; i++) {
        const struct json *found = json_pointer(value, pointers->at[i]);
        enum json_kind kind = json_kind(found);
        if (kind != JSON_KIND_ABSENT && kind != JSON_KIND_NULL) {
            return found;
        }
    }
    return NULL;
}

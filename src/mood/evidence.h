/* mood/evidence.h - which utterances pulled the mood down. */
#ifndef MOOD_EVIDENCE_H
#define MOOD_EVIDENCE_H

#include "mood/reading.h"

/* Up to CALL_EVIDENCE_MAX utterances of the current window, the most negative contribution first,
 * the older of equals first. A contribution is weight * (score - reference) / weight of the window,
 * where the reference is the previous window's mean for a decline and the CUSUM reference for
 * sustained low. */
uint32_t evidence_collect(const struct transcript *transcript, const struct mood_policy *policy,
                          const struct judgement *judgement, enum call_alert_path path,
                          struct call_evidence out[CALL_EVIDENCE_MAX]);

#endif

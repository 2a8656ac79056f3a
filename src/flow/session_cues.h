/* flow/session_cues.h - what the judgement knows as the rules beside the mood want it, and back. */
#ifndef FLOW_SESSION_CUES_H
#define FLOW_SESSION_CUES_H

#include "cues/cues.h"
#include "mood/call.h"

/* Borrows what the segment borrows. */
void session_cues_utterance(const struct segment *segment, struct cues_utterance *out);

/* The mood of a call as it stands. */
struct cues_mood session_cues_mood(const struct call *call);

enum call_tier session_cues_tier(enum cues_tier tier);

#endif

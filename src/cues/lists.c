/* lists.c - see lists.h. Phrases are chosen to be said by a customer who means it: words that are
 * everyday in a contact center ("cancel my old card", "the manager app") are left to longer forms.
 */
#include "cues/lists.h"

#include <string.h>

static const char *const escalation[] = {"supervisor",
                                         "supervisors",
                                         "your manager",
                                         "a manager",
                                         "the manager",
                                         "speak to someone else",
                                         "talk to someone else",
                                         "speak with someone else",
                                         "someone in charge",
                                         "person in charge",
                                         "your boss",
                                         "your superior",
                                         "someone higher up",
                                         "escalate",
                                         "file a complaint",
                                         "make a complaint",
                                         "formal complaint",
                                         "complain about",
                                         "head office",
                                         "ombudsman",
                                         NULL};

static const char *const legal[] = {"lawyer",
                                    "lawyers",
                                    "attorney",
                                    "sue",
                                    "suing",
                                    "legal action",
                                    "take you to court",
                                    "see you in court",
                                    "small claims",
                                    "lawsuit",
                                    "better business bureau",
                                    "consumer protection",
                                    "trading standards",
                                    "regulator",
                                    "fraud department",
                                    "police report",
                                    NULL};

static const char *const leaving[] = {"cancel my account",    "cancel my subscription",
                                      "cancel my service",    "cancel my contract",
                                      "cancel my policy",     "cancel my membership",
                                      "cancel everything",    "cancel it all",
                                      "want to cancel",       "close my account",
                                      "closing my account",   "switch to another",
                                      "switching to another", "take my business elsewhere",
                                      "never use you again",  "never buy from you again",
                                      "lost a customer",      "losing a customer",
                                      "leaving your company", NULL};

static const char *const repeat_contact[] = {"second time i call",
                                             "second time i have called",
                                             "second time ive called",
                                             "second time im calling",
                                             "third time i call",
                                             "third time i have called",
                                             "third time ive called",
                                             "third time im calling",
                                             "fourth time",
                                             "fifth time",
                                             "called before about",
                                             "already called",
                                             "already told you",
                                             "already told them",
                                             "already explained",
                                             "keep calling",
                                             "keep having to call",
                                             "every time i call",
                                             "called you twice",
                                             "called three times",
                                             "called four times",
                                             "called several times",
                                             "called multiple times",
                                             "how many times",
                                             "nobody called me back",
                                             "no one called me back",
                                             NULL};

static const char *const exposure[] = {
    "social media",    "on twitter",    "on facebook", "post about this", "bad review", "one star",
    "negative review", "tell everyone", "the news",    "the press",       NULL};

static const char *const apology[] = {"sorry",        "apologize", "apologise", "apologies",
                                      "my apologies", "regret",    NULL};

static const char *const empathy[] = {"i understand",
                                      "i can understand",
                                      "i completely understand",
                                      "that must be",
                                      "how frustrating",
                                      "i hear you",
                                      "i can imagine",
                                      "i appreciate your patience",
                                      "thank you for your patience",
                                      NULL};

static const struct {
    const char *name;
    const char *const *phrases;
} known[] = {
    {"escalation", escalation}, {"legal", legal},
    {"leaving", leaving},       {"repeat_contact", repeat_contact},
    {"exposure", exposure},     {"apology", apology},
    {"empathy", empathy},
};

const char *const *lists_find(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].phrases;
        }
    }
    return NULL;
}

const char *lists_name(size_t index)
{
    return index < sizeof known / sizeof *known ? known[index].name : NULL;
}

"""Made-up turns that differ in mood, not in topic: the same fact stated, complained of, resolved.

A classifier trained on reviews takes "my card was stolen" for a complaint, because bad things are
named in it. Here every topic occurs in all three classes, so that the topic itself says nothing.
"""

NEGATIVE, NEUTRAL, POSITIVE = 0, 1, 2

HELP_DESK = {
    "my laptop": ("runs slowly", "shuts down by itself", "doesn't start", "gets quite warm"),
    "the printer": ("isn't printing", "is offline", "prints blank pages", "jams on page two"),
    "my email": ("doesn't sync", "won't open attachments", "is stuck in the outbox"),
    "the vpn": ("disconnects after a few minutes", "doesn't accept my password", "times out"),
    "my screen": ("stays black", "flickers", "shows two windows over each other"),
    "the wifi": ("drops", "is slow in the meeting room", "doesn't reach the second floor"),
    "my keyboard": ("isn't recognised", "repeats letters", "has two keys that don't respond"),
    "the shared drive": ("isn't there", "says access denied", "is read only for me"),
    "the update": (
        "stops at forty percent",
        "fails with an error code",
        "asks for a restart again",
    ),
    "my phone": ("doesn't ring", "has no signal", "won't pair with the headset"),
    "the scanner": ("can't find the computer", "gives an error", "only scans the first page"),
    "the software": ("closes by itself", "asks for a licence key", "says it is out of date"),
}
ACCOUNT = {
    "my card": ("was declined", "was stolen", "got blocked", "hasn't arrived", "expired"),
    "my order": (
        "hasn't arrived",
        "came without the charger",
        "was cancelled",
        "went to my old address",
    ),
    "the parcel": ("was damaged", "is marked as delivered", "is held at customs", "is a week late"),
    "the refund": ("hasn't arrived", "was smaller than the price", "went to my old account"),
    "the bill": ("is higher than last month", "has a late fee on it", "shows two charges"),
    "my flight": ("was cancelled", "is delayed by four hours", "was moved to the morning"),
    "my internet": ("is down", "has been out since Monday", "cuts off in the evening"),
    "the boiler": ("stopped working", "shows error four", "leaks a little"),
    "my claim": ("was rejected", "is still open", "is missing a document"),
    "the payment": ("failed", "was taken twice", "is pending"),
    "my subscription": ("renewed by itself", "was cancelled", "doesn't show in the app"),
    "the appointment": ("was moved", "isn't in my letter", "was cancelled"),
}
ASKS = (
    "I could use some help", "can you help me with it", "can you check", "what should I do",
    "how do I fix that", "could you take a look", "I'd like to know why", "what are my options",
    "how long does that usually take", "I was told to call this number", "I'm calling about that",
    "since yesterday", "since the weekend", "it started on Tuesday", "only at home",
    "that's all I know",
)  # fmt: skip
GRUMBLES = (
    "and it's driving me mad", "and I'm really fed up", "for the third time this month",
    "and nobody does anything about it", "and I can't get any work done", "it's so frustrating",
    "I've called twice already", "I've been waiting for an hour", "this is unacceptable",
    "and I'm losing patience", "how is that possible", "what kind of service is that",
    "I'm really worried now", "I honestly don't know what to do any more",
    "and it's costing me money", "why does this keep happening", "again",
    "that's just not good enough", "and I'm sick of it", "I was promised it would be fine",
    "it's ridiculous", "I'm very disappointed",
)  # fmt: skip
RELIEFS = (
    "it works now, thank you so much", "that's sorted at last, you're brilliant",
    "is fixed, what a relief", "works again, I really appreciate it", "is fine now, great job",
    "is back, that's wonderful", "is all sorted, you've been so helpful", "is sorted, I'm so happy",
    "works perfectly now, thanks a lot for your patience",
)  # fmt: skip
TRIED = (
    "I tried that and it's the same", "I restarted it and nothing changed", "I checked the cable",
    "it shows the same message", "it says error {n}", "the code is {n}", "yes, it's switched on",
    "yes, the light is on", "no, there is no message", "I'm looking at it now", "I've done that",
    "I pressed it and it went back to the first page", "it's at {n} percent", "okay, that's open",
)  # fmt: skip
TIRED = (
    "I tried that five times and it's still the same", "I've done all of that already",
    "I doubt that will help", "I don't have time for this", "it still doesn't work, I give up",
    "you asked me that already", "I've restarted it all morning and nothing works",
    "I just want it to work", "I have so much to do and I can't", "I'm getting nowhere with this",
    "do I really have to do that again", "it's the same useless message again",
)  # fmt: skip
OPENINGS = (
    "",
    "",
    "",
    "hi ",
    "hello ",
    "yes ",
    "so ",
    "well ",
    "Hi, this is {name}. ",
    "okay ",
    "um ",
)
NAMES = ("Dana", "Omar", "Priya", "Lucy", "Ken", "Ines", "Paul", "Aisha", "Marek", "Helen")


def turn(rng, mood):
    """One made-up turn."""
    if rng.random() < 0.25 and mood != POSITIVE:
        text = rng.choice(TIRED if mood == NEGATIVE else TRIED)
        return text.format(n=rng.randrange(10, 9000))
    topics = HELP_DESK if rng.random() < 0.5 else ACCOUNT
    thing = rng.choice(sorted(topics))
    fact = f"{thing} {rng.choice(topics[thing])}"
    if mood == POSITIVE:
        end = rng.choice(RELIEFS)
        joint = " " if end.startswith(("is ", "works ")) else ", "
        text = f"{thing}{joint}{end}"
    elif mood == NEGATIVE:
        end = rng.choice(GRUMBLES)
        text = f"{fact} {end}" if end.startswith(("and ", "for ", "again")) else f"{fact}, {end}"
    else:
        text = fact if rng.random() < 0.3 else f"{fact}, {rng.choice(ASKS)}"
    opening = rng.choice(OPENINGS).format(name=rng.choice(NAMES))
    text = opening + text
    if rng.random() < 0.5:
        text = (
            text[0].upper()
            + text[1:]
            + rng.choice((".", ".", "!") if mood != NEUTRAL else (".", "?", "."))
        )
    return text


def turns(rng, count):
    moods = (NEGATIVE, NEUTRAL, NEUTRAL, POSITIVE)
    return [(turn(rng, mood), mood) for mood in (rng.choice(moods) for _ in range(count))]

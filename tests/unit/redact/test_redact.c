/* test_redact.c - texts and what may be shown of them, one line each. All people and numbers are
 * made up; card numbers are the schemes' published test numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/utf8.h"
#include "redact/redact.h"

struct example {
    const char *text;
    const char *shown;
};

static const struct example cards[] = {
    {"4111111111111111", "[CARD]"},
    {"my card is 4111 1111 1111 1111", "my card is [CARD]"},
    {"4111-1111-1111-1111.", "[CARD]."},
    {"it's 4111.1111.1111.1111, thanks", "it's [CARD], thanks"},
    {"378282246310005", "[CARD]"},
    {"amex 3782 822463 10005 please", "amex [CARD] please"},
    {"5555555555554444", "[CARD]"},
    {"2223003122003222", "[CARD]"},
    {"6011 1111 1111 1117", "[CARD]"},
    {"30569309025904", "[CARD]"},
    {"3530111333300000", "[CARD]"},
    {"4222222222222", "[CARD]"},
    {"four one one one one one one one one one one one one one one one", "[CARD]"},
    {"it is four one one one, one one one one, one one one one, one one one one ok",
     "it is [CARD] ok"},
    {"forty one eleven eleven eleven eleven eleven eleven eleven", "[CARD]"},
    {"four triple one double one double one triple one triple one double one", "[CARD]"},
    {"four one one one uh one one one one um one one one one and one one one one", "[CARD]"},
    {"four one one one 1111 one one one one 1111", "[CARD]"},
    {"Card: 4111 1111 1111 1111 exp 12/27", "Card: [CARD] exp 12/27"},
    {"4111 1111 1111 1111 12 27 123", "[CARD] [CVV]"},
    {"order number 4111 1111 1111 1111", "order number [CARD]"},
    {"my card number is 4111 1111 1111 1112", "my card number is [CARD]"}, /* misheard */
    {"4342432153328663", "[CARD]"},                                        /* the same */
    {"card ending in 4242", "card ending in [CARD]"},
    {"the visa that ends with 4242 was declined", "the visa that ends with [CARD] was declined"},
    {"4\xE2\x80\x8B"
     "111 1111 1111 1111",
     "[CARD]"}, /* a zero-width space inside */
    {"4111\xC2\xA0"
     "1111\xC2\xA0"
     "1111\xC2\xA0"
     "1111",
     "[CARD]"},
    {"4111\xE2\x80\x93"
     "1111\xE2\x80\x93"
     "1111\xE2\x80\x93"
     "1111",
     "[CARD]"},
    {"\xEF\xBC\x94\xEF\xBC\x91\xEF\xBC\x91\xEF\xBC\x91 1111 1111 1111", "[CARD]"}, /* full width */
    {"\xD9\xA4\xD9\xA1\xD9\xA1\xD9\xA1 1111 1111 1111", "[CARD]"},
    {"123-45-6789, 4111 1111 1111 1111", "[SSN], [CARD]"},
    {"I have two cards and one account", "I have two cards and one account"},
    {"my card was charged 1500 dollars", "my card was charged 1500 dollars"},
    {"my card expires 06 27", "my card expires 06 27"},
};

static const struct example codes[] = {
    {"the cvv is 123", "the cvv is [CVV]"},
    {"CVV: 1234", "CVV: [CVV]"},
    {"security code one two three", "security code [CVV]"},
    {"the security code on the back is 987.", "the security code on the back is [CVV]."},
    {"c v v is nine eight seven", "c v v is [CVV]"},
    {"three digits on the back 456", "three digits on the back [CVV]"},
    {"123 is the cvc", "[CVV] is the cvc"},
    {"I have 123 problems", "I have 123 problems"},
    {"bus number 123", "bus number 123"},
};

static const struct example socials[] = {
    {"123-45-6789", "[SSN]"},
    {"123 45 6789", "[SSN]"},
    {"my social is 123456789", "my social is [SSN]"},
    {"ssn 2567", "ssn [SSN]"},
    {"last four of my social is six seven eight nine", "last four of my social is [SSN]"},
    {"the last 4 digits of the ssn is 7603", "the last 4 digits of the ssn is [SSN]"},
    {"social security number one two three four five six seven eight nine",
     "social security number [SSN]"},
    {"3471 are my ssn", "[SSN] are my ssn"},
    {"1568 ssn", "[SSN] ssn"},
    {"one two three dash four five dash six seven eight nine is my social", "[SSN] is my social"},
    {"card number 2356891478562314 ssn 2211", "card number [CARD] ssn [SSN]"},
    {"I saw 4 social workers", "I saw 4 social workers"},
};

static const struct example accounts[] = {
    {"account number 556677", "account number [ACCOUNT]"},
    {"my account is five five six six seven seven", "my account is [ACCOUNT]"},
    {"acct 0012345678", "acct [ACCOUNT]"},
    {"routing number 021000021", "routing number [ACCOUNT]"},
    {"the account number is alt 758", "the account number is [ACCOUNT]"},
    {"policy number PVX-752197308", "policy number [ACCOUNT]"},
    {"from account 4455 to account 6677", "from account [ACCOUNT] to account [ACCOUNT]"},
    {"4455 is the account number", "[ACCOUNT] is the account number"},
    {"my pin is 4821", "my pin is [ACCOUNT]"},
    {"my password is 899112", "my password is [ACCOUNT]"},
    {"passport 533380006", "passport [ACCOUNT]"},
    {"member id 88120045", "member id [ACCOUNT]"},
    {"it is 1234567890123456789012345678", "it is [ACCOUNT]"},
    {"140552408", "[ACCOUNT]"},
    {"order 123456789012", "order 123456789012"},
    {"tracking number 9400110200881234567890", "tracking number 9400110200881234567890"},
    {"Order #707-5555555-6666666 marked delivered", "Order #707-5555555-6666666 marked delivered"},
    {"refunded to your account within 48-72 hours", "refunded to your account within 48-72 hours"},
    {"the refund for order # 702-3333333-4444444", "the refund for order # 702-3333333-4444444"},
    {"claim number 603", "claim number 603"},
    {"pin code 600041", "pin code 600041"},
    {"on 25062018 I paid 350", "on 25062018 I paid 350"},
    {"my zip is 90210", "my zip is 90210"},
    {"the balance on my account is 1500 dollars", "the balance on my account is 1500 dollars"},
    {"I pay $1500 on that account", "I pay $1500 on that account"},
};

static const struct example mails[] = {
    {"ann.lee@example.com", "[EMAIL]"},
    {"write to ann_lee+x@mail.example.co.uk, please", "write to [EMAIL], please"},
    {"Ann99@Example.ORG.", "[EMAIL]."},
    {"john dot smith at gmail dot com", "[EMAIL]"},
    {"my email is john dot smith at gmail dot com okay", "my email is [EMAIL] okay"},
    {"it's j smith 45 at yahoo dot com", "it's [EMAIL]"},
    {"j o h n at example dot org", "[EMAIL]"},
    {"ann underscore lee at the rate gmail dot com", "[EMAIL]"},
    {"ann dash lee at mail dot example dot co dot uk", "[EMAIL]"},
    {"send it to ann at g mail dot com", "send it to [EMAIL]"},
    {"ann at gmail", "[EMAIL]"},
    {"lee four two at outlook dot com", "[EMAIL]"},
    {"ann @ example.com", "[EMAIL]"},
    {"alex 45 gmailcom", "[EMAIL]"},
    {"my email is sankarigmailcom", "my email is [EMAIL]"},
    {"3 persons nivika 45 gmailcom", "3 persons [EMAIL]"},
    {"my mail address is havocmano 11 gmailcom", "my mail address is [EMAIL]"},
    {"meet me at home dot", "meet me at home dot"},
    {"I was at work. Come in", "I was at work. Come in"},
    {"look at amazon dot com", "look at amazon dot com"},
    {"five dollars at 9 am", "five dollars at 9 am"},
    {"we looked at it", "we looked at it"},
};

static const struct example phones[] = {
    {"555-123-4567", "[PHONE]"},
    {"call me at (555) 123-4567.", "call me at [PHONE]."},
    {"+1 555 123 4567", "[PHONE]"},
    {"+49 170 1234567", "[PHONE]"},
    {"1-800-555-0199", "[PHONE]"},
    {"my number is five five five one two three four five six seven", "my number is [PHONE]"},
    {"one eight hundred five five five oh one nine nine", "[PHONE]"},
    {"double five five one two three four five six seven", "[PHONE]"},
    {"5551234567", "[PHONE]"},
    {"555-1234", "[PHONE]"},
    {"phone 5551234", "phone [PHONE]"},
    {"mobile no 6152439443", "mobile no [PHONE]"},
    {"call me back on 020 7946 0958", "call me back on [PHONE]"},
    {"555 123 4567 x 26982", "[PHONE]"},
    {"555.123.4567 ext. 12", "[PHONE]"},
    {"9952639633 1357 main street", "[PHONE] 1357 main street"},
    {"plus four four two zero seven nine four six zero nine five eight", "plus [PHONE]"},
    {"confirmation 5551234567", "confirmation 5551234567"},
    {"open from 9 to 5", "open from 9 to 5"},
    {"maruti alto 800 2016", "maruti alto 800 2016"},
    {"it costs 5551234567 dollars", "it costs 5551234567 dollars"},
};

static const struct example names[] = {
    {"My name is Ann Lee.", "My name is [NAME]."},
    {"my name is ann lee", "my name is [NAME]"},
    {"hi my name is ann and i need help", "hi my name is [NAME] and i need help"},
    {"My name's John O'Neil, I have a question", "My name's [NAME], I have a question"},
    {"my name is robert clinton and the last 4 digits of ssn is 5619",
     "my name is [NAME] and the last 4 digits of ssn is [SSN]"},
    {"This is Ann Lee speaking.", "This is [NAME] speaking."},
    {"this is ann from accounting", "this is [NAME] from accounting"},
    {"hello this is martin", "hello this is [NAME]"},
    {"this is Dr. Maria de la Cruz calling", "this is [NAME] calling"},
    {"Hi, I'm Ann, I lost my card", "Hi, I'm [NAME], I lost my card"},
    {"hello i am najma", "hello i am [NAME]"},
    {"first name is ann last name is lee", "first name is [NAME] last name is [NAME]"},
    {"my name is j o h n", "my name is [NAME]"},
    {"my name is john that's j o h n", "my name is [NAME] that's [NAME]"},
    {"My name is J. R. Hartley", "My name is [NAME]"},
    {"my name is Jean-Luc Picard", "my name is [NAME]"},
    {"Name: Ann Lee", "Name: [NAME]"},
    {"the name on the card is ann lee", "the name on the card is [NAME]"},
    {"my name is S\xC3\xA9"
     "bastien",
     "my name is [NAME]"},
    {"my name is \xD0\x90\xD0\xBD\xD0\xBD\xD0\xB0", "my name is [NAME]"},
    {"MY NAME IS ANN LEE", "MY NAME IS [NAME]"},
    {"my name is on the account", "my name is on the account"},
    {"my name is not important", "my name is not important"},
    {"this is ridiculous", "this is ridiculous"},
    {"This is unacceptable", "This is unacceptable"},
    {"this is the third time i call", "this is the third time i call"},
    {"this is so frustrating", "this is so frustrating"},
    {"I'm sorry, I am calling about my bill", "I'm sorry, I am calling about my bill"},
    {"hello i am trying to call", "hello i am trying to call"},
    {"my company name is wrist llc", "my company name is wrist llc"},
    {"what is your name", "what is your name"},
    {"this is insane", "this is insane"},
};

static const struct example plain[] = {
    {"", ""},
    {"   ", "   "},
    {"I have been waiting for twenty minutes", "I have been waiting for twenty minutes"},
    {"one to two for five", "one to two for five"},
    {"from 9 to 5 on 12/24/2025", "from 9 to 5 on 12/24/2025"},
    {"the 2019 model costs 25,000", "the 2019 model costs 25,000"},
    {"bad \xFF byte", "bad \xEF\xBF\xBD byte"},
    {"[CARD] is a label", "[CARD] is a label"},
    {"flight 1234 at 10:45", "flight 1234 at 10:45"},
    {"a 50% discount on 100 items", "a 50% discount on 100 items"},
};

static void check(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf out;
        buf_init(&out, 4096);
        assert_true(redact_text(examples[i].text, strlen(examples[i].text), NULL, &out, NULL));
        if (strcmp(buf_string(&out), examples[i].shown) != 0) {
            print_error("'%s': wanted '%s', got '%s'\n", examples[i].text, examples[i].shown,
                        buf_string(&out));
            fail();
        }
        buf_done(&out);
    }
}

#define CHECK_TABLE(table)                          \
    static void test_##table(void **state)          \
    {                                               \
        (void)state;                                \
        check(table, sizeof table / sizeof *table); \
    }

CHECK_TABLE(cards)
CHECK_TABLE(codes)
CHECK_TABLE(socials)
CHECK_TABLE(accounts)
CHECK_TABLE(mails)
CHECK_TABLE(phones)
CHECK_TABLE(names)
CHECK_TABLE(plain)

static void test_an_answer_is_known_by_its_question(void **state)
{
    (void)state;
    static const struct {
        const char *question;
        const char *answer;
        const char *shown;
    } cases[] = {
        {"What are the last four of your social?", "3342", "[SSN]"},
        {"May I have your account number?", "sure it's 3342", "sure it's [ACCOUNT]"},
        {"and the security code?", "nine one one", "[CVV]"},
        {"Can I have your card number please", "um 559015", "um [CARD]"},
        {"and the best phone number to reach you", "555 1234", "[PHONE]"},
        {"May I have your name please?", "raj prasad", "[NAME]"},
        {"who am i speaking with", "yes it's Ann", "yes it's [NAME]"},
        {"What are the last four of your social?",
         "i told you that when i called the bank in 2019 and nobody wrote it down",
         "i told you that when i called the bank in 2019 and nobody wrote it down"},
        {"How can I help you?", "3342", "3342"},
        {"May I have your name please?", "i want to cancel", "i want to cancel"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct redact_options options = {
            .expected = redact_expect(cases[i].question, strlen(cases[i].question))};
        struct buf out;
        buf_init(&out, 4096);
        assert_true(redact_text(cases[i].answer, strlen(cases[i].answer), &options, &out, NULL));
        if (strcmp(buf_string(&out), cases[i].shown) != 0) {
            print_error("'%s': wanted '%s', got '%s'\n", cases[i].answer, cases[i].shown,
                        buf_string(&out));
            fail();
        }
        buf_done(&out);
    }
}

static void test_strict_takes_every_number_of_three_digits(void **state)
{
    (void)state;
    struct redact_options options = {.strict = true};
    struct redact_counts counts = {0};
    struct buf out;
    const char *text = "order 123456, 22 pieces, four five six, ann at gmail";
    buf_init(&out, 4096);
    assert_true(redact_text(text, strlen(text), &options, &out, &counts));
    assert_string_equal(buf_string(&out), "order [NUMBER], 22 pieces, [NUMBER], [EMAIL]");
    assert_int_equal(counts.found[REDACT_NUMBER], 2);
    assert_int_equal(counts.found[REDACT_EMAIL], 1);
    buf_done(&out);
}

/* Every published test number, in every spacing that groups allow, with fillers, spoken and mixed.
 */
static void test_cards_in_every_manner_of_speaking(void **state)
{
    (void)state;
    static const char *const numbers[] = {"4111111111111111", "5555555555554444",
                                          "378282246310005",  "6011111111111117",
                                          "4012888888881881", "5105105105105100"};
    static const char *const words[] = {"zero", "one", "two",   "three", "four",
                                        "five", "six", "seven", "eight", "nine"};
    static const char *const gaps[] = {" ", " ", " ", " uh ", ", ", " - "};
    struct rand rand;
    rand_seed(&rand, 5);
    for (int round = 0; round < 3000; round++) {
        struct buf said;
        struct buf out;
        const char *number = numbers[rand_below(&rand, sizeof numbers / sizeof *numbers)];
        bool spoken = rand_below(&rand, 2) == 0;
        buf_init(&said, 1000);
        buf_init(&out, 1000);
        for (size_t i = 0; number[i]; i++) {
            bool group = i % 4 == 0 && i > 0;
            if (spoken) {
                const char *o = number[i] == '0' && rand_below(&rand, 2) ? "oh" : NULL;
                buf_append_string(&said, i == 0 ? "" : gaps[group ? rand_below(&rand, 6) : 0]);
                buf_append_string(&said, o ? o : words[number[i] - '0']);
            } else {
                buf_append_string(&said, group ? gaps[rand_below(&rand, 3)] : "");
                buf_append_char(&said, number[i]);
            }
        }
        assert_true(redact_text(said.bytes, said.size, NULL, &out, NULL));
        if (strcmp(buf_string(&out), "[CARD]") != 0) {
            fail_msg("'%s' became '%s'", buf_string(&said), buf_string(&out));
        }
        buf_done(&said);
        buf_done(&out);
    }
}

static void test_any_bytes_give_valid_utf8_and_do_no_harm(void **state)
{
    (void)state;
    static const char *const bits[] = {"4111 1111 1111 1111",
                                       " at ",
                                       "gmail dot com",
                                       "my name is ",
                                       "\xFF",
                                       "\xE2\x80",
                                       "five ",
                                       "double ",
                                       "-",
                                       ".",
                                       "@",
                                       "ssn ",
                                       "(",
                                       "[CARD]",
                                       "\xE2\x80\x8B",
                                       "x",
                                       "account ",
                                       "9"};
    struct rand rand;
    rand_seed(&rand, 11);
    for (int round = 0; round < 20000; round++) {
        struct buf text;
        struct buf out;
        buf_init(&text, 2000);
        buf_init(&out, 20000);
        for (uint64_t n = rand_below(&rand, 30); n > 0; n--) {
            buf_append_string(&text, bits[rand_below(&rand, sizeof bits / sizeof *bits)]);
        }
        struct redact_options options = {.strict = rand_below(&rand, 2) == 0,
                                         .expected = (uint32_t)rand_below(&rand, 128)};
        assert_true(redact_text(buf_string(&text), text.size, &options, &out, NULL));
        assert_true(utf8_is_valid(buf_string(&out), out.size));
        assert_null(strstr(buf_string(&out), "4111 1111 1111 1111"));
        buf_done(&text);
        buf_done(&out);
    }
}

static void test_too_long_a_text_is_refused(void **state)
{
    (void)state;
    struct buf out;
    char *text = calloc(1, REDACT_TEXT_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, '7', REDACT_TEXT_BYTES_MAX + 1);
    buf_init(&out, 100);
    assert_false(redact_text(text, REDACT_TEXT_BYTES_MAX + 1, NULL, &out, NULL));
    assert_int_equal(out.size, 0);
    assert_true(redact_text(text, REDACT_TEXT_BYTES_MAX, NULL, &out, NULL));
    assert_string_equal(buf_string(&out), "[ACCOUNT]");
    buf_done(&out);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_socials),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_mails),
        cmocka_unit_test(test_phones),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_an_answer_is_known_by_its_question),
        cmocka_unit_test(test_strict_takes_every_number_of_three_digits),
        cmocka_unit_test(test_cards_in_every_manner_of_speaking),
        cmocka_unit_test(test_any_bytes_give_valid_utf8_and_do_no_harm),
        cmocka_unit_test(test_too_long_a_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

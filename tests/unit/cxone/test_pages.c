/* Where the next page is, and when there is none. */
#include "base/json.h"
#include "cxone/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char first[] = "https://api.example.com:8443/v1/list?top=2";

struct turn {
    enum pages_verdict verdict;
    int code;
    char url[256];
};

static struct turn turn(struct pages *pages, const struct cxone_paging *paging, const char *body,
                        size_t elements)
{
    struct turn turn = {.verdict = PAGES_LAST};
    struct json_document *document;
    struct buf url;
    buf_init(&url, 1000);
    assert_int_equal(json_parse(body, strlen(body), &document, NULL), 0);
    const struct pages_reply reply = {first, body, strlen(body), json_root(document), elements};
    turn.code = pages_next(pages, paging, &reply, &turn.verdict, &url, NULL);
    strncpy(turn.url, buf_string(&url), sizeof turn.url - 1);
    json_free(document);
    buf_done(&url);
    return turn;
}

static void expect(const struct turn turn, enum pages_verdict verdict, const char *url)
{
    assert_int_equal(turn.code, 0);
    assert_int_equal(turn.verdict, verdict);
    if (verdict == PAGES_MORE) {
        assert_string_equal(turn.url, url);
    }
}

static void links_are_followed_from_the_root_or_whole(void **state)
{
    (void)state;
    struct pages pages = {0};
    const struct cxone_paging paging = {
        .style = CXONE_PAGES_LINK, .next = {{"/_links/next", "/next"}}, .pages_max = 10};
    expect(turn(&pages, &paging, "{\"_links\":{\"next\":\"/v1/list?skip=2\"}}", 2), PAGES_MORE,
           "https://api.example.com:8443/v1/list?skip=2");
    expect(turn(&pages, &paging, "{\"next\":\"HTTPS://API.example.com:8443/v1/x\"}", 0), PAGES_MORE,
           "HTTPS://API.example.com:8443/v1/x");
    expect(turn(&pages, &paging, "{\"_links\":{\"next\":null}}", 2), PAGES_LAST, NULL);
    assert_int_equal(pages.count, 3);
    expect(turn(&pages, &paging, "{\"next\":\"\"}", 2), PAGES_LAST, NULL);
    expect(turn(&pages, &paging, "{\"next\":false}", 2), PAGES_LAST, NULL);
}

static void token_goes_to_no_other_host(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"next\":\"https://evil.example.com/\"}",
        "{\"next\":\"https://api.example.com/v1\"}", /* another port */
        "{\"next\":\"http://api.example.com:8443/v1\"}",
        "{\"next\":\"https://api.example.com:8443@evil.com/\"}",
        "{\"next\":\"//evil.example.com/\"}",
        "{\"next\":\"v1/list\"}",
        "{\"next\":\"/a b\"}",
        "{\"next\":\"/a#b\"}",
        "{\"next\":\"/a\\u0000b\"}",
        "{\"next\":7}",
        "{\"next\":{}}",
    };
    const struct cxone_paging paging = {
        .style = CXONE_PAGES_LINK, .next = {{"/next"}}, .pages_max = 10};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct pages pages = {0};
        struct turn got = turn(&pages, &paging, bodies[i], 2);
        if (got.code != ERROR_FORMAT) {
            fail_msg("followed: %s", bodies[i]);
        }
    }
}

static void cursors_are_sent_back(void **state)
{
    (void)state;
    struct pages pages = {0};
    const struct cxone_paging paging = {
        .style = CXONE_PAGES_CURSOR, .parameter = "cursor", .next = {{"/c"}}, .pages_max = 10};
    expect(turn(&pages, &paging, "{\"c\":\"a b&=\"}", 2), PAGES_MORE,
           "https://api.example.com:8443/v1/list?top=2&cursor=a%20b%26%3D");
    expect(turn(&pages, &paging, "{\"c\":-17}", 2), PAGES_MORE,
           "https://api.example.com:8443/v1/list?top=2&cursor=-17");
    assert_int_equal(turn(&pages, &paging, "{\"c\":[1]}", 2).code, ERROR_FORMAT);
    expect(turn(&pages, &paging, "{}", 2), PAGES_LAST, NULL);
}

static void pages_and_elements_are_counted(void **state)
{
    (void)state;
    struct pages pages = {0};
    struct cxone_paging paging = {
        .style = CXONE_PAGES_NUMBER, .parameter = "page", .pages_max = 10};
    expect(turn(&pages, &paging, "[1,2]", 2), PAGES_MORE,
           "https://api.example.com:8443/v1/list?top=2&page=2");
    expect(turn(&pages, &paging, "[3]", 1), PAGES_MORE,
           "https://api.example.com:8443/v1/list?top=2&page=3");
    expect(turn(&pages, &paging, "[]", 0), PAGES_LAST, NULL);
    pages = (struct pages){0};
    paging.style = CXONE_PAGES_OFFSET;
    paging.parameter = "skip";
    paging.next.at[0] = "/more";
    expect(turn(&pages, &paging, "{\"more\":true,\"a\":[1,2]}", 2), PAGES_MORE,
           "https://api.example.com:8443/v1/list?top=2&skip=2");
    expect(turn(&pages, &paging, "{\"more\":true,\"a\":[3]}", 1), PAGES_MORE,
           "https://api.example.com:8443/v1/list?top=2&skip=3");
    expect(turn(&pages, &paging, "{\"more\":false,\"a\":[4]}", 1), PAGES_LAST, NULL);
}

static void circles_and_floods_are_cut(void **state)
{
    (void)state;
    struct pages pages = {0};
    struct cxone_paging paging = {.style = CXONE_PAGES_LINK, .next = {{"/next"}}, .pages_max = 10};
    expect(turn(&pages, &paging, "{\"next\":\"/b\"}", 1), PAGES_MORE,
           "https://api.example.com:8443/b");
    expect(turn(&pages, &paging, "{\"next\":\"/c\"}", 1), PAGES_MORE,
           "https://api.example.com:8443/c");
    expect(turn(&pages, &paging, "{\"next\":\"/b\"}", 1), PAGES_CUT, NULL);
    pages = (struct pages){0};
    expect(turn(&pages, &paging, "{\"next\":\"/v1/list?top=2\"}", 1), PAGES_CUT, NULL);
    /* a server that knows no pages gives the same one for every number */
    pages = (struct pages){0};
    paging =
        (struct cxone_paging){.style = CXONE_PAGES_NUMBER, .parameter = "page", .pages_max = 10};
    expect(turn(&pages, &paging, "[1,2]", 2), PAGES_MORE,
           "https://api.example.com:8443/v1/list?top=2&page=2");
    expect(turn(&pages, &paging, "[1,2]", 2), PAGES_CUT, NULL);
    /* and one without end is left at the bound, whatever the configuration says */
    pages = (struct pages){0};
    paging.pages_max = 1000;
    for (int i = 0; i < CXONE_PAGES_MAX; i++) {
        char body[32];
        snprintf(body, sizeof body, "[%d]", i);
        assert_int_equal(turn(&pages, &paging, body, 1).verdict,
                         i < CXONE_PAGES_MAX - 1 ? PAGES_MORE : PAGES_CUT);
    }
}

static void one_page_is_one_page(void **state)
{
    (void)state;
    struct pages pages = {0};
    const struct cxone_paging paging = {.next = {{"/next"}}};
    expect(turn(&pages, &paging, "{\"next\":\"/b\"}", 1), PAGES_LAST, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_followed_from_the_root_or_whole),
        cmocka_unit_test(token_goes_to_no_other_host),
        cmocka_unit_test(cursors_are_sent_back),
        cmocka_unit_test(pages_and_elements_are_counted),
        cmocka_unit_test(circles_and_floods_are_cut),
        cmocka_unit_test(one_page_is_one_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * The output buffer (src/util/kz_out.c) and UTF-8 (src/util/kz_utf8.c).
 */

#include "util/kz_json_scan.h"
#include "util/kz_out.h"
#include "util/kz_utf8.h"
#include "kz_shim.h"
#include "tap.h"


static ngx_pool_t  *pool;


static void
test_append(void)
{
    kz_out_t    o;
    ngx_str_t   s = ngx_string("slice");
    ngx_int_t   i;
    ngx_uint_t  same;

    kz_out_init(&o, pool, 0);
    kz_out_lit(&o, "[");
    kz_out_str(&o, &s);
    kz_out_char(&o, ',');
    kz_out_bytes(&o, NULL, 0);
    kz_out_int(&o, 0);
    kz_out_char(&o, ',');
    kz_out_int(&o, -7);
    kz_out_char(&o, ',');
    kz_out_int(&o, INT64_MAX);
    kz_out_char(&o, ',');
    kz_out_int(&o, INT64_MIN);
    kz_out_lit(&o, "]");

    is_text(o.start, kz_out_len(&o),
            "[slice,0,-7,9223372036854775807,-9223372036854775808]",
            "slices, characters, numbers");
    ok(!kz_out_failed(&o), "nothing failed");

    kz_out_init(&o, pool, 1);

    for (i = 0; i < 100000; i++) {
        kz_out_char(&o, (u_char) i);
    }

    same = (kz_out_len(&o) == 100000);

    for (i = 0; same && i < 100000; i++) {
        same = (o.start[i] == (u_char) i);
    }

    ok(same, "grows as far as needed");

    ok(kz_out_room(&o, 1000000) == NGX_OK && o.end - o.pos >= 1000000,
       "room ahead");
}


static void
test_escape(void)
{
    u_char              all[256], *p;
    ngx_uint_t          i, cp, same;
    kz_out_t            o;
    ngx_str_t           s, back;
    kz_json_val_t       v;
    kz_json_err_t       err;

    static const u_char  text[] = "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f"
                                  "\xe2\x82\xac";

    kz_out_init(&o, pool, 0);
    kz_out_json(&o, text, sizeof(text));
    is_text(o.start, kz_out_len(&o),
            "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xe2\x82\xac"
            "\\u0000\"", "escapes what has to be escaped");

    kz_out_init(&o, pool, 0);
    kz_out_json(&o, NULL, 0);
    is_text(o.start, kz_out_len(&o), "\"\"", "the empty string");

    for (i = 0; i < 128; i++) {
        all[i] = (u_char) i;
    }

    same = 1;

    for (i = 0; i <= 128; i++) {
        kz_out_init(&o, pool, 0);
        s.data = all;
        s.len = i;
        kz_out_json_str(&o, &s);

        same &= (kz_json_scan(o.start, kz_out_len(&o), 1, &v, &err)
                 == NGX_OK
                 && kz_json_string(pool, &v, &back) == NGX_OK
                 && back.len == i && memcmp(back.data, all, i) == 0);
    }

    ok(same, "the scanner reads back what was written");

    /* every code point once, written, escaped, scanned and checked */

    same = 1;

    for (cp = 0x80; cp < 0x110000; cp += 0x1000 - 1) {
        if (cp >= 0xd800 && cp <= 0xdfff) {
            continue;
        }

        p = kz_utf8_put(all, cp);

        kz_out_init(&o, pool, 0);
        kz_out_json(&o, all, p - all);

        same &= (kz_json_scan(o.start, kz_out_len(&o), 1, &v, &err)
                 == NGX_OK);
    }

    ok(same, "code points of all lengths");
}


/* Every byte at every place among others, as eight are looked at at once. */

static void
test_places(void)
{
    u_char      text[32];
    size_t      plain;
    kz_out_t    o;
    ngx_uint_t  c, i, escaped, same;

    same = 1;

    for (c = 0; c < 256; c++) {
        escaped = (c < 0x20 || c == '"' || c == '\\');

        for (i = 0; i < sizeof(text); i++) {
            memset(text, (c & 1) ? 0x21 : 0xff, sizeof(text));
            text[i] = (u_char) c;

            kz_out_init(&o, pool, 0);
            kz_out_json(&o, text, sizeof(text));

            plain = 1 + i;
            same &= (kz_out_len(&o) > sizeof(text) + 2) == escaped
                    && o.start[plain] == (escaped ? '\\' : c)
                    && memcmp(o.start + 1, text, i) == 0;
        }
    }

    ok(same, "a byte is escaped wherever it is, and no other");
}


static void
test_numbers(void)
{
    char        want[32];
    int64_t     n;
    kz_out_t    o;
    uint64_t    u;
    ngx_uint_t  i, same;

    same = 1;

    for (u = 1, i = 0; i < 19; i++, u *= 10) {
        for (n = (int64_t) u - 2; n < (int64_t) u + 120; n += 7) {
            kz_out_init(&o, pool, 0);
            kz_out_int(&o, n);
            kz_out_int(&o, -n);

            snprintf(want, sizeof(want), "%lld", (long long) n);
            same &= memcmp(o.start, want, strlen(want)) == 0;

            snprintf(want, sizeof(want), "%lld", (long long) -n);
            same &= memcmp(o.pos - strlen(want), want, strlen(want)) == 0;
        }
    }

    ok(same, "numbers of all lengths");
}


static void
test_no_memory(void)
{
    kz_out_t  o;

    kz_shim_allocations = 0;
    kz_out_init(&o, pool, 100);
    kz_out_lit(&o, "abc");
    kz_out_char(&o, 'd');
    kz_out_int(&o, 5);
    kz_out_json(&o, (u_char *) "e", 1);
    kz_shim_allocations = -1;

    kz_out_lit(&o, "f");
    ok(kz_out_failed(&o), "no memory for the first byte is remembered");
    is_int(kz_out_len(&o), 0, "nothing was written");

    kz_out_init(&o, pool, 0);
    kz_out_lit(&o, "0123456789");
    kz_shim_allocations = 0;
    is_int(kz_out_room(&o, 1000), NGX_ERROR, "no memory to grow");
    kz_shim_allocations = -1;

    kz_out_lit(&o, "later");
    kz_out_char(&o, 'x');
    ok(kz_out_failed(&o), "is remembered");
    is_text(o.start, kz_out_len(&o), "0123456789", "nothing more comes");

    kz_out_init(&o, pool, 0);
    is_int(kz_out_room(&o, (size_t) -1), NGX_ERROR, "too much to be true");
    ok(kz_out_failed(&o), "fails");
}


/* Checks a text cut in two at every place. */
static ngx_int_t
check(const u_char *p, size_t len, uint32_t *state)
{
    size_t      cut;
    u_char     *one, *two;
    uint32_t    s;
    ngx_int_t   rc, again;

    *state = KZ_UTF8_START;
    rc = kz_utf8_check(state, p, len);

    for (cut = 0; cut <= len; cut++) {
        one = kz_shim_copy(p, cut);
        two = kz_shim_copy(p + cut, len - cut);

        s = KZ_UTF8_START;
        again = kz_utf8_check(&s, one, cut);

        if (again == NGX_OK) {
            again = kz_utf8_check(&s, two, len - cut);
        }

        free(one);
        free(two);

        if (again != rc || (rc == NGX_OK && s != *state)) {
            return NGX_ABORT;
        }
    }

    return rc;
}


static void
test_utf8(void)
{
    u_char         text[8], *p;
    uint32_t       cp, state;
    ngx_uint_t     i, same;
    const u_char  *q;

    static const struct {
        const char  *text;
        ngx_int_t    rc;
        ngx_uint_t   whole;
    } texts[] = {
        { "", NGX_OK, 1 },
        { "0123456789abcdef", NGX_OK, 1 },
        { "01234567\xc3\xa9" "01234567\xe2\x82\xac", NGX_OK, 1 },
        { "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", NGX_OK, 1 },
        { "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", NGX_OK, 1 },
        { "\xf4\x8f\xbf\xbf", NGX_OK, 1 },
        { "\xe2\x82", NGX_OK, 0 }, { "\xf0", NGX_OK, 0 },
        { "\xc3", NGX_OK, 0 }, { "abc\xf4\x8f\xbf", NGX_OK, 0 },
        { "\x80", NGX_ERROR, 0 }, { "\xbf", NGX_ERROR, 0 },
        { "\xc0\x80", NGX_ERROR, 0 }, { "\xc1\xbf", NGX_ERROR, 0 },
        { "\xc3\xc3", NGX_ERROR, 0 }, { "\xc3" "a", NGX_ERROR, 0 },
        { "\xe0\x9f\xbf", NGX_ERROR, 0 }, { "\xed\xa0\x80", NGX_ERROR, 0 },
        { "\xf0\x8f\xbf\xbf", NGX_ERROR, 0 },
        { "\xf4\x90\x80\x80", NGX_ERROR, 0 },
        { "\xf5\x80\x80\x80", NGX_ERROR, 0 }, { "\xff", NGX_ERROR, 0 },
        { "\xe2\x82" "a", NGX_ERROR, 0 }, { "\xf0\x9f\x98" "a", NGX_ERROR, 0 }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        is_int(check((u_char *) texts[i].text, strlen(texts[i].text),
                     &state),
               texts[i].rc, "UTF-8, in one piece and in two");

        if (texts[i].rc == NGX_OK) {
            is_int(state == KZ_UTF8_START, texts[i].whole,
                   "and whether it may end there");
        }
    }

    /* the answer is known at the first byte that cannot be */

    state = KZ_UTF8_START;
    is_int(kz_utf8_check(&state, (u_char *) "\xf4\x90", 2), NGX_ERROR,
           "refuses early");

    same = 1;

    for (cp = 0; cp < 0x110000; cp++) {
        p = kz_utf8_put(text, cp);
        q = text;

        same &= (kz_utf8_next(&q, p) == cp && q == p);

        state = KZ_UTF8_START;
        same &= (kz_utf8_check(&state, text, p - text)
                 == ((cp >= 0xd800 && cp <= 0xdfff) ? NGX_ERROR : NGX_OK));
    }

    ok(same, "every code point, there and back");
}


int
main(void)
{
    pool = kz_shim_pool();

    test_append();
    test_escape();
    test_places();
    test_numbers();
    test_no_memory();
    test_utf8();

    ngx_destroy_pool(pool);

    return tap_done();
}

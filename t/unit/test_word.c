/*
 * Words, lower case, ASCII forms (src/util/kz_word.c).
 */

#include "util/kz_word.h"
#include "kz_shim.h"
#include "tap.h"


/* The words of a text with bars between them. */

static void
words(const char *text, const char *want, const char *name)
{
    u_char           buf[1024], *p;
    kz_word_iter_t   it;

    p = buf;
    kz_word_init(&it, (u_char *) text, strlen(text));

    while (kz_word_next(&it) == NGX_OK) {
        if (p > buf) {
            *p++ = '|';
        }

        memcpy(p, it.word.data, it.word.len);
        p += it.word.len;
    }

    is_text(buf, p - buf, want, name);
}


static void
lower(const char *text, const char *want)
{
    u_char  buf[256], *p;

    p = kz_lower(buf, (u_char *) text, strlen(text));
    is_text(buf, p - buf, want, text);
}


static void
fold(const char *text, const char *want)
{
    u_char  buf[256], *p;

    p = kz_fold(buf, (u_char *) text, strlen(text));
    is_text(buf, p - buf, want, text);
}


static void
test_words(void)
{
    words("The 2 QUICK Brown-Foxes jumped over the lazy dog's bone.",
          "The|2|QUICK|Brown|Foxes|jumped|over|the|lazy|dog's|bone",
          "the example of the standard analyzer");
    words("", "", "nothing");
    words(" \t\n--!?() ", "", "no words");
    words("a_b __x__ ___ 3_4", "a_b|__x__|3_4", "underscores join");
    words("3.14 1,000.5 1. 2 .5 a.b a.1 1.a",
          "3.14|1,000.5|1|2|5|a.b|a|1|1|a", "points and commas in numbers");
    words("can't 'tis don\xe2\x80\x99t rock'n'roll",
          "can't|tis|don\xe2\x80\x99t|rock'n'roll", "apostrophes");
    words("a:b e:\xc3\xa9 x\xc2\xb7y 1:2", "a:b|e:\xc3\xa9|x\xc2\xb7y|1|2",
          "colons and middle dots between letters");
    words("user@example.com http://a.b/c?d=e",
          "user|example.com|http|a.b|c|d|e", "addresses");
    words("\xc3\x89t\xc3\xa9 na\xc3\xafve e\xcc\x81t\xe2\x80\x8d\xc3\xa9",
          "\xc3\x89t\xc3\xa9|na\xc3\xafve|e\xcc\x81t\xe2\x80\x8d\xc3\xa9",
          "accents, combining ones, joiners");
    words("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
          "\xe6\x97\xa5|\xe6\x9c\xac|\xe8\xaa\x9e", "ideographs");
    words("\xe3\x81\x93\xe3\x82\x8c\xe3\x82\xab\xe3\x82\xbf\xe3\x82\xab",
          "\xe3\x81\x93|\xe3\x82\x8c|\xe3\x82\xab\xe3\x82\xbf\xe3\x82\xab",
          "Hiragana and Katakana");
    words("\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 \xea\xb8\x80",
          "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4|\xea\xb8\x80", "Hangul");
    words("\xe0\xb8\xa0\xe0\xb8\xb2\xe0\xb8\xa9\xe0\xb8\xb2 x",
          "\xe0\xb8\xa0\xe0\xb8\xb2\xe0\xb8\xa9\xe0\xb8\xb2|x", "Thai");
    words("\xd7\xa6\xd7\x94\"\xd7\x9c \xd7\x92' a\"b",
          "\xd7\xa6\xd7\x94\"\xd7\x9c|\xd7\x92'|a|b", "Hebrew quotes");
    words("\xf0\x9f\x98\x80\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9 #",
          "\xf0\x9f\x98\x80|\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
          "pictures, one of them joined");
    words("\xf0\x9f\x87\xab\xf0\x9f\x87\xb7\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",
          "\xf0\x9f\x87\xab\xf0\x9f\x87\xb7|"
          "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", "two flags");
}


static void
test_long(void)
{
    char             text[700];
    size_t           n, total;
    kz_word_iter_t   it;

    memset(text, 'x', sizeof(text));
    kz_word_init(&it, (u_char *) text, sizeof(text));

    n = 0;
    total = 0;

    while (kz_word_next(&it) == NGX_OK) {
        n++;
        total += it.word.len;
        ok(it.word.len <= KZ_WORD_MAX_CHARS, "not too long");
    }

    ok(n == 3 && total == sizeof(text), "a long word comes in pieces");
    ok(it.position == 2, "positions count from 0");
}


static void
test_case(void)
{
    lower("ABC xyz 1", "abc xyz 1");
    lower("\xc3\x80\xc3\x96\xc3\x9f", "\xc3\xa0\xc3\xb6\xc3\x9f");
    lower("\xc4\x80\xc4\x82\xc4\x84", "\xc4\x81\xc4\x83\xc4\x85");
    lower("\xce\x91\xce\x92\xd0\x96", "\xce\xb1\xce\xb2\xd0\xb6");
    lower("\xc4\xb0", "i");
    lower("\xe1\xba\x9e", "\xc3\x9f");
    lower("\xf0\x90\x90\x80", "\xf0\x90\x90\xa8");

    fold("\xc3\xa9t\xc3\xa9 \xc3\x86on \xc3\x9f \xc3\xb8", "ete AEon ss o");
    fold("\xef\xac\x81n \xe2\x80\x9cx\xe2\x80\x9d", "fin \"x\"");
    fold("\xd0\x96\xe6\x97\xa5", "\xd0\x96\xe6\x97\xa5");

    ok(kz_char_is_letter(0x4e00) && kz_char_is_letter('q')
       && !kz_char_is_letter('1') && !kz_char_is_letter('_'), "letters");
    ok(kz_char_is_digit(0x663) && !kz_char_is_digit('a'), "digits");
    ok(kz_char_is_space(0x3000) && !kz_char_is_space('a'), "spaces");
}


int
main(void)
{
    test_words();
    test_long();
    test_case();

    return tap_done();
}

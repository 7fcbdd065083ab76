#ifndef _KZ_WORD_H_INCLUDED_
#define _KZ_WORD_H_INCLUDED_

/*
 * Words of a text as Unicode annex 29 finds them (rules WB4 to WB13b), with
 * what the original's standard tokenizer adds: an ideograph, and a Hiragana
 * letter, is a word of its own, a run of a script without spaces between
 * words (Thai, Khmer) is one, and so is a picture.  What holds no letter,
 * digit or picture is no word.
 *
 * Lower case and ASCII forms of letters.  Pure; the text is valid UTF-8.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define KZ_WORD_MAX_CHARS  255


typedef struct {
    const u_char   *p;
    const u_char   *end;
    ngx_uint_t      position;     /* of the word found last, from 0 */
    ngx_str_t       word;         /* the word, a slice of the text */
} kz_word_iter_t;


void kz_word_init(kz_word_iter_t *it, const u_char *text, size_t len);

/*
 * NGX_OK: it->word is the next one (a longer one than KZ_WORD_MAX_CHARS
 * comes in pieces); NGX_DONE.
 */
ngx_int_t kz_word_next(kz_word_iter_t *it);

/*
 * Writes the text in lower case; dst has room for KZ_LOWER_ROOM(len) bytes.
 * Returns the end.
 */
#define KZ_LOWER_ROOM(len)  ((len) + (len) / 2 + 4)

u_char *kz_lower(u_char *dst, const u_char *p, size_t len);

/*
 * Writes the text with ASCII in place of letters with accents, ligatures and
 * typographic quotes; dst has room for KZ_FOLD_ROOM(len) bytes.  Returns the
 * end.
 */
#define KZ_FOLD_ROOM(len)  ((len) * 3 / 2 + 4)

u_char *kz_fold(u_char *dst, const u_char *p, size_t len);

uint32_t kz_char_to_lower(uint32_t c);

/* Whether it is a letter or a digit, for tokenizers that split elsewhere. */
ngx_uint_t kz_char_is_letter(uint32_t c);
ngx_uint_t kz_char_is_digit(uint32_t c);
ngx_uint_t kz_char_is_space(uint32_t c);


#endif /* _KZ_WORD_H_INCLUDED_ */

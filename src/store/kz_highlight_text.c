
/*
 * Fragments.  Where they begin and end: Elasticsearch's
 * BoundedBreakIteratorScanner; which ones are the best: Lucene's
 * PassageScorer.
 */

#include "store/kz_highlight_text.h"
#include "util/kz_utf8.h"
#include "util/kz_word.h"
#include <math.h>


#define KZ_PASSAGE_PIVOT  87.0


typedef struct {
    ngx_uint_t            value;
    size_t                start;
    size_t                end;
    ngx_uint_t            first;       /* marks */
    ngx_uint_t            last;        /* behind the last one */
    double                score;
    uint64_t              order;
} kz_passage_t;


/* The text a window slides over. */

typedef struct {
    const u_char         *p;
    size_t                len;
    ngx_uint_t            max;         /* characters */
    size_t                start;
    size_t                end;
    size_t                window_start;
    size_t                window_end;
    ngx_uint_t            open;
} kz_window_t;


static void kz_window_at(kz_window_t *w, size_t offset);
static size_t kz_sentence_before(const kz_window_t *w, size_t offset);
static size_t kz_sentence_after(const kz_window_t *w, size_t offset);
static ngx_uint_t kz_sentence_break(const kz_window_t *w, size_t offset);
static size_t kz_word_before(const kz_window_t *w, size_t offset);
static size_t kz_word_after(const kz_window_t *w, size_t offset);
static void kz_word_around(const kz_window_t *w, size_t at, size_t *start,
    size_t *end);
static size_t kz_chars(const u_char *p, size_t from, size_t to);
static ngx_uint_t kz_chars_over(const u_char *p, size_t from, size_t to,
    ngx_uint_t max);
static size_t kz_chars_back(const u_char *p, size_t at, size_t n);
static size_t kz_chars_on(const u_char *p, size_t len, size_t at, size_t n);
static ngx_int_t kz_passage_scores(const kz_highlight_value_t *values,
    kz_passage_t *list, ngx_uint_t n, size_t total);
static double kz_passage_score(const kz_highlight_value_t *v,
    const kz_passage_t *p, const uint64_t *hashes, double total,
    double start);
static ngx_uint_t kz_passage_count(const uint64_t *hashes, ngx_uint_t n,
    uint64_t hash);
static int kz_passage_hash(const void *one, const void *two);
static void kz_passage_print(const kz_highlight_opt_t *opt,
    const kz_highlight_value_t *v, const kz_passage_t *p, kz_out_t *out);
static void kz_passage_text(const kz_highlight_opt_t *opt, kz_out_t *out,
    const u_char *p, size_t n);
static void kz_passage_json(kz_out_t *out, const u_char *p, size_t n);
static int kz_passage_best(const void *one, const void *two);
static int kz_passage_order(const void *one, const void *two);


ngx_int_t
kz_highlight_print(const kz_highlight_opt_t *opt,
    kz_highlight_value_t *values, ngx_uint_t n, kz_out_t *out,
    ngx_uint_t *printed)
{
    size_t                  total, shown;
    ngx_uint_t              i, k, count;
    kz_window_t             w;
    kz_passage_t           *list, *p;
    kz_highlight_value_t   *v;

    *printed = 0;
    count = 0;
    total = 0;

    for (i = 0; i < n; i++) {
        count += values[i].n;
        total += kz_chars(values[i].text.data, 0, values[i].text.len);
    }

    list = malloc((count + 1) * sizeof(kz_passage_t));
    if (list == NULL) {
        return NGX_ERROR;
    }

    count = 0;

    for (i = 0; i < n; i++) {
        v = &values[i];
        p = NULL;
        shown = 0;

        ngx_memzero(&w, sizeof(kz_window_t));
        w.p = v->text.data;
        w.len = v->text.len;
        w.max = opt->size;

        for (k = 0; k < v->n; k++) {

            if (p == NULL || v->marks[k].start >= p->end) {
                p = &list[count++];
                p->value = i;
                p->first = k;
                p->order = ((uint64_t) i << 32) + v->marks[k].start;
                p->start = 0;
                p->end = v->text.len;

                if (opt->number != 0) {
                    kz_window_at(&w, v->marks[k].start);
                    p->start = ngx_max(w.start, shown);
                    p->end = w.end;
                    shown = p->end;
                }
            }

            p->last = k + 1;
        }

    }

    if (count == 0 && opt->no_match != 0 && n != 0 && values[0].text.len != 0)
    {
        ngx_memzero(&w, sizeof(kz_window_t));
        w.p = values[0].text.data;
        w.len = values[0].text.len;
        w.max = opt->no_match;
        kz_window_at(&w, 0);

        ngx_memzero(list, sizeof(kz_passage_t));
        list[0].end = w.end;
        count = 1;
    }

    if (opt->number != 0 && (count > opt->number || opt->by_score)) {

        if (kz_passage_scores(values, list, count, total) != NGX_OK) {
            free(list);
            return NGX_ERROR;
        }

        qsort(list, count, sizeof(kz_passage_t), kz_passage_best);
        count = ngx_min(count, opt->number);

        if (!opt->by_score) {
            qsort(list, count, sizeof(kz_passage_t), kz_passage_order);
        }
    }

    for (k = 0; k < count; k++) {

        if (k > 0) {
            kz_out_char(out, ',');
        }

        kz_passage_print(opt, &values[list[k].value], &list[k], out);
    }

    *printed = count;
    free(list);

    return NGX_OK;
}


/* The fragment around a word that begins there. */
static void
kz_window_at(kz_window_t *w, size_t at)
{
    size_t  next, offset, left, room;

    offset = kz_chars_on(w->p, w->len, at, 1);

    if (w->open && offset > w->window_start && offset < w->window_end) {
        w->start = w->end;
        w->end = w->window_end;

    } else {
        w->start = kz_sentence_before(w, offset);
        w->end = kz_sentence_after(w, at);

        while (w->end < w->len
               && !kz_chars_over(w->p, w->start, w->end, w->max))
        {
            next = kz_sentence_after(w, w->end);

            if (kz_chars_over(w->p, w->start, next, w->max)) {
                break;
            }

            w->end = next;
        }

        w->window_start = w->start;
        w->window_end = w->end;
    }

    w->open = 1;

    if (!kz_chars_over(w->p, w->start, w->end, w->max)) {
        return;
    }

    left = kz_chars_back(w->p, offset, w->max);

    if (left > w->start) {
        left = kz_word_before(w, left);
        w->start = ngx_max(w->start, left);
    }

    room = kz_chars(w->p, w->start, offset);
    room = (room < w->max) ? w->max - room : 0;
    next = kz_chars_on(w->p, w->len, offset, room);

    if (next < w->window_end) {
        next = kz_word_after(w, next);
        w->end = ngx_min(w->window_end, next);
    }
}


/* The last begin of a sentence before the offset. */
static size_t
kz_sentence_before(const kz_window_t *w, size_t offset)
{
    while (offset > 0) {
        offset--;

        if ((w->p[offset] & 0xc0) != 0x80 && kz_sentence_break(w, offset)) {
            return offset;
        }
    }

    return 0;
}


static size_t
kz_sentence_after(const kz_window_t *w, size_t offset)
{
    while (++offset < w->len) {
        if ((w->p[offset] & 0xc0) != 0x80 && kz_sentence_break(w, offset)) {
            return offset;
        }
    }

    return w->len;
}


/*
 * Whether a sentence begins there: behind a full stop, an exclamation or a
 * question mark, what closes, and blanks; behind a line's end; and at once
 * behind an ideographic one.  A full stop before a small letter ends nothing
 * (Unicode annex 29, SB8).
 */
static ngx_uint_t
kz_sentence_break(const kz_window_t *w, size_t at)
{
    size_t         i;
    uint32_t       c;
    const u_char  *p, *end;

    if (at == 0) {
        return 1;
    }

    i = at;

    if (w->p[i - 1] == '\n') {
        return 1;
    }

    if (i >= 3
        && (ngx_memcmp(&w->p[i - 3], "\xe3\x80\x82", 3) == 0
            || ngx_memcmp(&w->p[i - 3], "\xef\xbc\x81", 3) == 0
            || ngx_memcmp(&w->p[i - 3], "\xef\xbc\x9f", 3) == 0))
    {
        return 1;
    }

    if (w->p[i - 1] != ' ' && w->p[i - 1] != '\t') {
        return 0;
    }

    if (w->p[i] == ' ' || w->p[i] == '\t') {
        return 0;
    }

    while (i > 0 && (w->p[i - 1] == ' ' || w->p[i - 1] == '\t')) {
        i--;
    }

    while (i > 0 && (w->p[i - 1] == '"' || w->p[i - 1] == '\''
                     || w->p[i - 1] == ')' || w->p[i - 1] == ']'))
    {
        i--;
    }

    if (i == 0 || (w->p[i - 1] != '.' && w->p[i - 1] != '!'
                   && w->p[i - 1] != '?'))
    {
        return 0;
    }

    if (w->p[i - 1] != '.') {
        return 1;
    }

    p = w->p + at;
    end = w->p + w->len;
    c = kz_utf8_next(&p, end);

    if (c < 0x80) {
        return !(c >= 'a' && c <= 'z');
    }

    return !kz_char_is_letter(c) || kz_char_to_lower(c) != c
           || c >= 0x2e80;
}


/* The last place before the offset that is not inside of a word. */
static size_t
kz_word_before(const kz_window_t *w, size_t offset)
{
    size_t  start, end;

    if (offset == 0) {
        return 0;
    }

    offset = kz_chars_back(w->p, offset, 1);
    kz_word_around(w, offset, &start, &end);

    return start;
}


static size_t
kz_word_after(const kz_window_t *w, size_t offset)
{
    size_t  start, end;

    offset = kz_chars_on(w->p, w->len, offset, 1);

    if (offset >= w->len) {
        return w->len;
    }

    kz_word_around(w, offset, &start, &end);

    return (start == offset) ? offset : end;
}


/* The word the place is inside of; nothing around it when it is in none. */
static void
kz_word_around(const kz_window_t *w, size_t at, size_t *start, size_t *end)
{
    size_t           from;
    kz_word_iter_t   it;

    *start = at;
    *end = at;

    /* words are found from a blank on: there is one nearby, mostly */

    for (from = at; from > 0 && at - from < 4096; from--) {
        if (w->p[from - 1] == ' ') {
            break;
        }
    }

    while (from > 0 && (w->p[from] & 0xc0) == 0x80) {
        from--;
    }

    kz_word_init(&it, w->p + from, w->len - from);

    while (kz_word_next(&it) == NGX_OK) {

        if (it.word.data > w->p + at) {
            return;
        }

        if (it.word.data + it.word.len > w->p + at) {
            *start = it.word.data - w->p;
            *end = *start + it.word.len;
            return;
        }
    }
}


static size_t
kz_chars(const u_char *p, size_t from, size_t to)
{
    size_t  n;

    for (n = 0; from < to; from++) {
        n += (p[from] & 0xc0) != 0x80;
    }

    return n;
}


/* Whether there are more than max, without counting all of a long text. */
static ngx_uint_t
kz_chars_over(const u_char *p, size_t from, size_t to, ngx_uint_t max)
{
    if (to - from <= max) {
        return 0;
    }

    return (to - from) / 4 > max || kz_chars(p, from, to) > max;
}


static size_t
kz_chars_back(const u_char *p, size_t at, size_t n)
{
    while (at > 0 && n > 0) {
        at--;
        n -= (p[at] & 0xc0) != 0x80;
    }

    return at;
}


static size_t
kz_chars_on(const u_char *p, size_t len, size_t at, size_t n)
{
    while (at < len && n > 0) {
        at++;

        while (at < len && (p[at] & 0xc0) == 0x80) {
            at++;
        }

        n--;
    }

    return at;
}


/* By Lucene's PassageScorer; the passages are in the order of the text. */
static ngx_int_t
kz_passage_scores(const kz_highlight_value_t *values, kz_passage_t *list,
    ngx_uint_t n, size_t total)
{
    size_t                       at, start;
    uint64_t                    *hashes;
    ngx_uint_t                   i, k, value;
    const kz_highlight_value_t  *v;

    hashes = NULL;
    value = (ngx_uint_t) -1;
    at = 0;
    start = 0;

    for (i = 0; i < n; i++) {
        v = &values[list[i].value];

        if (list[i].value != value) {
            value = list[i].value;
            at = 0;

            free(hashes);

            hashes = malloc(v->n * sizeof(uint64_t));
            if (hashes == NULL) {
                return NGX_ERROR;
            }

            for (k = 0; k < v->n; k++) {
                hashes[k] = v->marks[k].hash;
            }

            qsort(hashes, v->n, sizeof(uint64_t), kz_passage_hash);
        }

        start += kz_chars(v->text.data, at, list[i].start);
        at = list[i].start;

        list[i].score = kz_passage_score(v, &list[i], hashes,
                                         (double) total, (double) start);
    }

    free(hashes);

    return NGX_OK;
}


/* Each of its words by how often it is there and in all of the text. */
static double
kz_passage_score(const kz_highlight_value_t *v, const kz_passage_t *p,
    const uint64_t *hashes, double total, double start)
{
    double       sum, tf, all, length;
    uint64_t     hash;
    ngx_uint_t   i, k, a, b;

    sum = 0;
    length = (double) kz_chars(v->text.data, p->start, p->end);

    for (i = p->first; i < p->last && i < p->first + 64; i++) {

        hash = v->marks[i].hash;

        for (k = p->first; k < i; k++) {
            if (v->marks[k].hash == hash) {
                break;
            }
        }

        if (k < i) {
            continue;
        }

        tf = 0;

        for (k = i; k < p->last; k++) {
            tf += (v->marks[k].hash == hash);
        }

        a = kz_passage_count(hashes, v->n, hash);
        b = (hash == UINT64_MAX) ? v->n
                                 : kz_passage_count(hashes, v->n, hash + 1);
        all = (double) (b - a);

        sum += 2.2 * log(1 + (1 + total / KZ_PASSAGE_PIVOT + 0.5)
                             / (all + 0.5))
               * tf / (tf + 1.2 * (0.25 + 0.75 * length / KZ_PASSAGE_PIVOT));
    }

    return sum * (1 + 1 / log(KZ_PASSAGE_PIVOT + start));
}


/* How many are less. */
static ngx_uint_t
kz_passage_count(const uint64_t *hashes, ngx_uint_t n, uint64_t hash)
{
    ngx_uint_t  a, b, i;

    a = 0;
    b = n;

    while (a < b) {
        i = (a + b) / 2;

        if (hashes[i] < hash) {
            a = i + 1;

        } else {
            b = i;
        }
    }

    return a;
}


static int
kz_passage_hash(const void *one, const void *two)
{
    const uint64_t  *a = one;
    const uint64_t  *b = two;

    return (*a > *b) - (*a < *b);
}


static void
kz_passage_print(const kz_highlight_opt_t *opt, const kz_highlight_value_t *v,
    const kz_passage_t *p, kz_out_t *out)
{
    size_t                       at, from, to;
    ngx_uint_t                   i;
    const u_char                *text;
    const kz_highlight_mark_t   *m;

    text = v->text.data;
    at = p->start;
    to = p->end;

    for (i = p->first; i < p->last; i++) {
        to = ngx_max(to, v->marks[i].end);
    }

    while (at < to && text[at] <= ' ') {
        at++;
    }

    while (to > at && text[to - 1] <= ' ') {
        to--;
    }

    kz_out_char(out, '"');

    for (i = p->first; i < p->last; i++) {
        m = &v->marks[i];

        if (m->start > at) {
            kz_passage_text(opt, out, text + at, m->start - at);
            at = m->start;
        }

        if (m->end > at) {
            from = at;
            at = ngx_min((size_t) m->end, to);

            kz_passage_json(out, opt->pre.data, opt->pre.len);
            kz_passage_text(opt, out, text + from, at - from);
            kz_passage_json(out, opt->post.data, opt->post.len);
        }
    }

    if (to > at) {
        kz_passage_text(opt, out, text + at, to - at);
    }

    kz_out_char(out, '"');
}


static void
kz_passage_text(const kz_highlight_opt_t *opt, kz_out_t *out,
    const u_char *p, size_t n)
{
    size_t       i, from;
    const char  *name;

    if (!opt->html) {
        kz_passage_json(out, p, n);
        return;
    }

    for (i = 0, from = 0; i < n; i++) {

        name = (p[i] == '&') ? "&amp;" : (p[i] == '<') ? "&lt;"
               : (p[i] == '>') ? "&gt;" : (p[i] == '"') ? "&quot;"
               : (p[i] == '\'') ? "&#x27;" : (p[i] == '/') ? "&#x2F;" : NULL;

        if (name != NULL) {
            kz_passage_json(out, p + from, i - from);
            kz_out_bytes(out, name, ngx_strlen(name));
            from = i + 1;
        }
    }

    kz_passage_json(out, p + from, n - from);
}


/* As kz_out_json(), without the quotes. */
static void
kz_passage_json(kz_out_t *out, const u_char *p, size_t n)
{
    size_t  at;

    if (n == 0) {
        return;
    }

    at = kz_out_len(out);
    kz_out_json(out, p, n);

    if (kz_out_failed(out)) {
        return;
    }

    n = kz_out_len(out) - at - 2;
    ngx_memmove(out->start + at, out->start + at + 1, n);
    out->pos = out->start + at + n;
}


static int
kz_passage_best(const void *one, const void *two)
{
    const kz_passage_t  *a = one;
    const kz_passage_t  *b = two;

    if (a->score != b->score) {
        return (a->score > b->score) ? -1 : 1;
    }

    return (a->order > b->order) - (a->order < b->order);
}


static int
kz_passage_order(const void *one, const void *two)
{
    const kz_passage_t  *a = one;
    const kz_passage_t  *b = two;

    return (a->order > b->order) - (a->order < b->order);
}

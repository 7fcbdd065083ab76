
/*
 * Phrases and likeness: see the header.
 *
 * A sloppy phrase is matched as Lucene's SloppyPhraseMatcher does: every word
 * goes to its next occurrence in turn, the one that lies furthest behind
 * first, and the width of what they span is what counts.  Words that occur
 * several times in the phrase never stand on the same word of the text.
 */

#include "store/kz_match_phrase.h"
#include "util/kz_utf8.h"


/* A place of the phrase and where in the text its word stands. */

typedef struct {
    const uint32_t        *at;
    ngx_uint_t             n;
    ngx_uint_t             next;
    uint32_t               place;
    int64_t                position;   /* of the phrase's begin, then */
    const kz_text_term_t  *term;       /* NULL: several words at a place */
    uint32_t              *own;        /* malloc's: positions of several */
} kz_slot_t;


static ngx_int_t kz_phrase_slots(kz_text_leaf_t *w, kz_slot_t *slots,
    ngx_uint_t *n);
static ngx_int_t kz_phrase_join(kz_text_term_t **terms, ngx_uint_t n,
    kz_slot_t *slot);
static double kz_phrase_exact(kz_slot_t *slots, ngx_uint_t n, ngx_uint_t all,
    const kz_phrase_mark_t *mark);
static ngx_uint_t kz_phrase_has(const kz_slot_t *slot, uint32_t at);
static double kz_phrase_sloppy(kz_slot_t *slots, ngx_uint_t n,
    ngx_uint_t slop, ngx_uint_t all, const kz_phrase_mark_t *mark);
static ngx_uint_t kz_phrase_start(kz_slot_t *slots, ngx_uint_t n,
    int64_t *end);
static ngx_uint_t kz_phrase_step(kz_slot_t *slot, int64_t *end);
static ngx_uint_t kz_phrase_apart(kz_slot_t *slots, ngx_uint_t n,
    ngx_uint_t moved, int64_t *end);
static ngx_uint_t kz_phrase_least(const kz_slot_t *slots, ngx_uint_t n,
    int64_t *next);
static void kz_phrase_keep(const kz_slot_t *slots, ngx_uint_t n,
    int64_t *best);
static void kz_phrase_tell(const int64_t *best, ngx_uint_t n,
    const kz_phrase_mark_t *mark);
static int kz_phrase_cmp(const void *one, const void *two);


ngx_int_t
kz_phrase_place(kz_text_term_t *t, uint32_t at)
{
    uint32_t   room;
    uint32_t  *p;

    if (!t->placed) {
        t->tf++;
        return NGX_OK;
    }

    if (t->tf == t->room) {
        room = t->room ? t->room * 2 : 8;

        p = realloc(t->at, room * sizeof(uint32_t));
        if (p == NULL) {
            return NGX_ERROR;
        }

        t->at = p;
        t->room = room;
    }

    t->at[t->tf++] = at;

    return NGX_OK;
}


ngx_int_t
kz_phrase_begun(kz_text_leaf_t *w, const ngx_str_t *text, uint32_t at)
{
    kz_text_term_t  *t;

    t = w->begun;

    if (text->len < w->prefix.len
        || ngx_memcmp(text->data, w->prefix.data, w->prefix.len) != 0
        || (t->tf > 0 && t->at[t->tf - 1] == at))
    {
        return NGX_OK;
    }

    return kz_phrase_place(t, at);
}


ngx_int_t
kz_phrase_frequency(kz_text_leaf_t *w, ngx_uint_t all,
    const kz_phrase_mark_t *mark, double *tf)
{
    ngx_int_t    rc;
    ngx_uint_t   i, n;
    kz_slot_t   *slots, few[8];

    *tf = 0;

    /* most documents miss a word */

    if (w->begun != NULL && w->begun->tf == 0) {
        return NGX_OK;
    }

    for (i = 0; i < w->nterms; i++) {
        if (w->terms[i]->tf == 0
            && (i == 0 || w->places[i - 1] != w->places[i])
            && (i + 1 == w->nterms || w->places[i + 1] != w->places[i]))
        {
            return NGX_OK;
        }
    }

    slots = few;

    if (w->nterms + 1 > sizeof(few) / sizeof(few[0])) {
        slots = malloc((w->nterms + 1) * sizeof(kz_slot_t));
        if (slots == NULL) {
            return NGX_ERROR;
        }
    }

    rc = kz_phrase_slots(w, slots, &n);

    if (rc == NGX_OK) {
        *tf = (w->slop == 0)
              ? kz_phrase_exact(slots, n, all, mark)
              : kz_phrase_sloppy(slots, n, w->slop, all, mark);
    }

    for (i = 0; i < n; i++) {
        free(slots[i].own);
    }

    if (slots != few) {
        free(slots);
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/* NGX_DECLINED: a place has no word in the text. */
static ngx_int_t
kz_phrase_slots(kz_text_leaf_t *w, kz_slot_t *slots, ngx_uint_t *n)
{
    ngx_uint_t   i, next;
    kz_slot_t   *slot;

    *n = 0;

    for (i = 0; i < w->nterms; i = next) {

        for (next = i + 1; next < w->nterms; next++) {
            if (w->places[next] != w->places[i]) {
                break;
            }
        }

        slot = &slots[(*n)++];

        slot->next = 0;
        slot->own = NULL;
        slot->place = w->places[i];
        slot->term = NULL;

        if (next - i == 1) {
            slot->term = w->terms[i];
            slot->at = w->terms[i]->at;
            slot->n = w->terms[i]->tf;

        } else if (kz_phrase_join(&w->terms[i], next - i, slot) != NGX_OK) {
            return NGX_ERROR;
        }

        if (slot->n == 0) {
            return NGX_DECLINED;
        }
    }

    if (w->begun != NULL) {
        slot = &slots[(*n)++];

        slot->next = 0;
        slot->own = NULL;
        slot->place = w->prefix_place;
        slot->term = w->begun;
        slot->at = w->begun->at;
        slot->n = w->begun->tf;
    }

    return NGX_OK;
}


/* Positions of any of the words, each once. */
static ngx_int_t
kz_phrase_join(kz_text_term_t **terms, ngx_uint_t n, kz_slot_t *slot)
{
    size_t      total;
    ngx_uint_t  i, k;

    for (total = 0, i = 0; i < n; i++) {
        total += terms[i]->tf;
    }

    slot->n = 0;
    slot->own = malloc((total + 1) * sizeof(uint32_t));
    slot->at = slot->own;

    if (slot->own == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (terms[i]->tf != 0) {
            ngx_memcpy(slot->own + slot->n, terms[i]->at,
                       terms[i]->tf * sizeof(uint32_t));
            slot->n += terms[i]->tf;
        }
    }

    qsort(slot->own, slot->n, sizeof(uint32_t), kz_phrase_cmp);

    for (i = 0, k = 0; i < slot->n; i++) {
        if (k == 0 || slot->own[k - 1] != slot->own[i]) {
            slot->own[k++] = slot->own[i];
        }
    }

    slot->n = k;

    return NGX_OK;
}


static double
kz_phrase_exact(kz_slot_t *slots, ngx_uint_t n, ngx_uint_t all,
    const kz_phrase_mark_t *mark)
{
    double      tf;
    uint32_t    at;
    ngx_uint_t  i, k;

    tf = 0;

    for (i = 0; i < slots[0].n; i++) {
        at = slots[0].at[i];

        for (k = 1; k < n; k++) {
            if (!kz_phrase_has(&slots[k], at + slots[k].place
                                          - slots[0].place))
            {
                break;
            }
        }

        if (k < n) {
            continue;
        }

        tf++;

        if (mark != NULL) {
            for (k = 0; k < n; k++) {
                mark->mark(mark->ctx, at + slots[k].place - slots[0].place);
            }

        } else if (!all) {
            break;
        }
    }

    return tf;
}


static ngx_uint_t
kz_phrase_has(const kz_slot_t *slot, uint32_t at)
{
    ngx_uint_t  a, b, i;

    a = 0;
    b = slot->n;

    while (a < b) {
        i = (a + b) / 2;

        if (slot->at[i] == at) {
            return 1;
        }

        if (slot->at[i] > at) {
            b = i;

        } else {
            a = i + 1;
        }
    }

    return 0;
}


static double
kz_phrase_sloppy(kz_slot_t *slots, ngx_uint_t n, ngx_uint_t slop,
    ngx_uint_t all, const kz_phrase_mark_t *mark)
{
    double       tf;
    int64_t      end, next, length, shorter, best[KZ_PHRASE_SLOPPY + 1];
    ngx_uint_t   i;
    kz_slot_t   *slot;

    if (!kz_phrase_start(slots, n, &end)) {
        return 0;
    }

    tf = 0;
    i = kz_phrase_least(slots, n, &next);
    slot = &slots[i];
    length = end - slot->position;
    kz_phrase_keep(slots, n, best);

    while (kz_phrase_step(slot, &end)) {

        if (!kz_phrase_apart(slots, n, i, &end)) {
            break;
        }

        if (slot->position > next) {

            /* it cannot become shorter with this word */

            if (length <= (int64_t) slop) {
                tf += 1.0 / (1 + length);
                kz_phrase_tell(best, n, mark);

                if (!all && mark == NULL) {
                    return tf;
                }
            }

            i = kz_phrase_least(slots, n, &next);
            slot = &slots[i];
            length = end - slot->position;
            kz_phrase_keep(slots, n, best);
            continue;
        }

        shorter = end - slot->position;

        if (shorter < length) {
            length = shorter;
            kz_phrase_keep(slots, n, best);
        }
    }

    if (length <= (int64_t) slop) {
        tf += 1.0 / (1 + length);
        kz_phrase_tell(best, n, mark);
    }

    return tf;
}


/* First occurrences; the second place of a word begins at its second one. */
static ngx_uint_t
kz_phrase_start(kz_slot_t *slots, ngx_uint_t n, int64_t *end)
{
    ngx_uint_t  i, k;

    *end = INT64_MIN;

    for (i = 0; i < n; i++) {

        if (!kz_phrase_step(&slots[i], end)) {
            return 0;
        }

        for (k = 0; k < i; k++) {
            if (slots[k].term != NULL && slots[k].term == slots[i].term
                && !kz_phrase_step(&slots[i], end))
            {
                return 0;
            }
        }
    }

    *end = INT64_MIN;

    for (i = 0; i < n; i++) {
        *end = ngx_max(*end, slots[i].position);
    }

    return 1;
}


static ngx_uint_t
kz_phrase_step(kz_slot_t *slot, int64_t *end)
{
    if (slot->next == slot->n) {
        return 0;
    }

    slot->position = (int64_t) slot->at[slot->next++] - slot->place;
    *end = ngx_max(*end, slot->position);

    return 1;
}


/* While two places have the same word of the text, the lesser one goes on. */
static ngx_uint_t
kz_phrase_apart(kz_slot_t *slots, ngx_uint_t n, ngx_uint_t moved,
    int64_t *end)
{
    ngx_uint_t   i;
    kz_slot_t   *a, *b;

    if (slots[moved].term == NULL) {
        return 1;
    }

    for (i = 0; i < n; i++) {
        a = &slots[moved];
        b = &slots[i];

        if (i == moved || b->term != a->term
            || a->position + a->place != b->position + b->place)
        {
            continue;
        }

        if (b->position < a->position
            || (b->position == a->position && b->place < a->place))
        {
            moved = i;
        }

        if (!kz_phrase_step(&slots[moved], end)) {
            return 0;
        }

        i = (ngx_uint_t) -1;
    }

    return 1;
}


/* The one furthest behind; *next: the position of the one after it. */
static ngx_uint_t
kz_phrase_least(const kz_slot_t *slots, ngx_uint_t n, int64_t *next)
{
    ngx_uint_t  i, least;

    least = 0;

    for (i = 1; i < n; i++) {
        if (slots[i].position < slots[least].position
            || (slots[i].position == slots[least].position
                && slots[i].place < slots[least].place))
        {
            least = i;
        }
    }

    *next = INT64_MAX;

    for (i = 0; i < n; i++) {
        if (i != least) {
            *next = ngx_min(*next, slots[i].position);
        }
    }

    return least;
}


static void
kz_phrase_keep(const kz_slot_t *slots, ngx_uint_t n, int64_t *best)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        best[i] = slots[i].position + slots[i].place;
    }
}


static void
kz_phrase_tell(const int64_t *best, ngx_uint_t n,
    const kz_phrase_mark_t *mark)
{
    ngx_uint_t  i;

    for (i = 0; mark != NULL && i < n; i++) {
        mark->mark(mark->ctx, (uint32_t) best[i]);
    }
}


static int
kz_phrase_cmp(const void *one, const void *two)
{
    const uint32_t  *a = one;
    const uint32_t  *b = two;

    return (*a > *b) - (*a < *b);
}


ngx_uint_t
kz_text_edits(const kz_query_node_t *node, const ngx_str_t *text)
{
    size_t      i;
    ngx_uint_t  n, low, high;

    for (n = 0, i = 0; i < text->len; i++) {
        n += (text->data[i] & 0xc0) != 0x80;
    }

    if (node->prefix_length >= n) {
        return 0;
    }

    if (node->fuzziness != KZ_QUERY_FUZZY_AUTO) {
        return node->fuzziness;
    }

    low = node->fuzzy_low;
    high = node->fuzzy_high;

    if (low == 0 && high == 0) {
        low = 3;
        high = 6;
    }

    return (n < low) ? 0 : (n < high) ? 1 : 2;
}


ngx_uint_t
kz_text_fuzzy(const kz_leaf_t *leaf, const ngx_str_t *text)
{
    return kz_text_distance(leaf, text) <= leaf->distance;
}


/*
 * Insertions, deletions, changes, and exchanges of neighbours when they are
 * one edit; no character is edited twice.  Only what lies within the allowed
 * distance of the diagonal is computed.
 */
ngx_uint_t
kz_text_distance(const kz_leaf_t *leaf, const ngx_str_t *text)
{
    uint32_t               other[KZ_TEXT_FUZZY + 3];
    ngx_uint_t             i, j, k, n, m, from, to, least;
    const u_char          *p, *end;
    const uint32_t        *word;
    const kz_text_leaf_t  *w;
    uint16_t               rows[3][KZ_TEXT_FUZZY + 4];
    uint16_t              *d, *up, *up2, *swap;

    w = leaf->words;
    word = w->chars;
    n = w->nchars;
    k = leaf->distance;

    /* a character has at most four bytes */

    if (text->len + k < n || text->len > (n + k) * 4) {
        return 3;
    }

    p = text->data;
    end = p + text->len;

    for (m = 0; p < end; /* void */ ) {

        if (m == n + k || m == KZ_TEXT_FUZZY + 2) {
            return 3;
        }

        other[m] = kz_utf8_next(&p, end);

        if (m < leaf->prefix_length && m < n && other[m] != word[m]) {
            return 3;
        }

        m++;
    }

    if (m + k < n || m < ngx_min(leaf->prefix_length, n)) {
        return 3;
    }

    d = rows[0];
    up = rows[1];
    up2 = rows[2];

    for (j = 0; j <= m; j++) {
        up[j] = (uint16_t) ngx_min(j, 3);
        up2[j] = 3;
    }

    for (i = 1; i <= n; i++) {
        from = (i > k) ? i - k : 0;
        to = ngx_min(m, i + k);
        least = 3;

        if (from > 0) {
            d[from - 1] = 3;
        }

        if (to < m) {
            d[to + 1] = 3;
        }

        for (j = from; j <= to; j++) {

            if (j == 0) {
                d[0] = (uint16_t) ngx_min(i, 3);

            } else {
                d[j] = up[j - 1] + (word[i - 1] != other[j - 1]);
                d[j] = ngx_min(d[j], d[j - 1] + 1);
                d[j] = ngx_min(d[j], up[j] + 1);

                if (leaf->transpose && i > 1 && j > 1
                    && word[i - 1] == other[j - 2]
                    && word[i - 2] == other[j - 1])
                {
                    d[j] = ngx_min(d[j], up2[j - 2] + 1);
                }

                d[j] = ngx_min(d[j], 3);
            }

            least = ngx_min(least, d[j]);
        }

        if (least > k) {
            return 3;
        }

        swap = up2;
        up2 = up;
        up = d;
        d = swap;
    }

    return (up[m] > k) ? 3 : up[m];
}


static ngx_int_t
kz_text_minimum_one(const u_char *p, const u_char *end, ngx_int_t n,
    ngx_int_t *minimum)
{
    ngx_int_t   value;
    ngx_uint_t  negative, percent;

    negative = (p < end && *p == '-');
    p += negative;

    percent = (p < end && end[-1] == '%');
    end -= percent;

    value = (end > p && end - p < 6) ? ngx_atoi((u_char *) p, end - p)
                                     : NGX_ERROR;
    if (value == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (percent) {
        value = n * value / 100;
    }

    *minimum = negative ? n - value : value;

    return NGX_OK;
}


ngx_int_t
kz_text_minimum(const ngx_str_t *text, ngx_uint_t n, ngx_uint_t *minimum)
{
    u_char      *p, *at, *stop, *end;
    ngx_int_t    bound, value, result;
    ngx_uint_t   several, over;

    p = text->data;
    end = p + text->len;

    several = (ngx_strlchr(p, end, '<') != NULL);
    result = n;
    over = 0;

    if (text->len == 0) {
        return NGX_ERROR;
    }

    while (p < end) {

        while (p < end && *p == ' ') {
            p++;
        }

        for (stop = p; stop < end && *stop != ' '; stop++) { /* void */ }

        if (p == stop) {
            break;
        }

        if (!several) {
            if (kz_text_minimum_one(p, stop, n, &result) != NGX_OK) {
                return NGX_ERROR;
            }

            for (p = stop; p < end; p++) {
                if (*p != ' ') {
                    return NGX_ERROR;
                }
            }

            break;
        }

        at = ngx_strlchr(p, stop, '<');
        bound = (at != NULL && at - p < 6) ? ngx_atoi(p, at - p) : NGX_ERROR;

        if (bound == NGX_ERROR
            || kz_text_minimum_one(at + 1, stop, n, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }

        /* what stands behind is looked at, too: it has to be right */

        if ((ngx_int_t) n <= bound) {
            over = 1;

        } else if (!over) {
            result = value;
        }

        p = stop;
    }

    *minimum = (result < 0) ? 0 : result;

    return NGX_OK;
}

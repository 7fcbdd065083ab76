
/*
 * What analyzers are made of, by name: tokenizers and filters, built in or
 * from the settings.  See kz_analysis_conf.c.
 */

#include "store/kz_analysis_int.h"
#include "util/kz_word.h"


static ngx_int_t kz_analysis_chars(kz_analysis_t *a, kz_tokenizer_t *t,
    const ngx_str_t *name, const kz_json_val_t *def);
static ngx_int_t kz_analysis_params(kz_analysis_t *a, kz_token_filter_t *f,
    const ngx_str_t *name, const kz_json_val_t *def);
static int kz_analysis_cmp(const void *one, const void *two);


static const struct {
    const char           *name;
    kz_token_filter_e     type;
    ngx_uint_t            normalizes;
    const char           *keys;
} kz_analysis_filter_types[] = {
    { "lowercase", KZ_TOKEN_LOWER, 1, "" },
    { "uppercase", KZ_TOKEN_UPPER, 1, "" },
    { "asciifolding", KZ_TOKEN_FOLD, 1, "preserve_original" },
    { "stop", KZ_TOKEN_STOP, 0, "stopwords ignore_case remove_trailing" },
    { "trim", KZ_TOKEN_TRIM, 1, "" },
    { "length", KZ_TOKEN_LENGTH, 0, "min max" },
    { "truncate", KZ_TOKEN_TRUNCATE, 0, "length" },
    { "unique", KZ_TOKEN_UNIQUE, 0, "only_on_same_position" },
    { "reverse", KZ_TOKEN_REVERSE, 0, "" },
    { "ngram", KZ_TOKEN_NGRAM, 0, "min_gram max_gram preserve_original" },
    { "nGram", KZ_TOKEN_NGRAM, 0, "min_gram max_gram preserve_original" },
    { "edge_ngram", KZ_TOKEN_EDGE_NGRAM, 0,
      "min_gram max_gram preserve_original side" },
    { "edgeNGram", KZ_TOKEN_EDGE_NGRAM, 0,
      "min_gram max_gram preserve_original side" },
    { NULL, 0, 0, NULL }
};


/* Lucene's EnglishAnalyzer; sorted */

static ngx_str_t  kz_analysis_english[] = {
    ngx_string("a"), ngx_string("an"), ngx_string("and"), ngx_string("are"),
    ngx_string("as"), ngx_string("at"), ngx_string("be"), ngx_string("but"),
    ngx_string("by"), ngx_string("for"), ngx_string("if"), ngx_string("in"),
    ngx_string("into"), ngx_string("is"), ngx_string("it"), ngx_string("no"),
    ngx_string("not"), ngx_string("of"), ngx_string("on"), ngx_string("or"),
    ngx_string("such"), ngx_string("that"), ngx_string("the"),
    ngx_string("their"), ngx_string("then"), ngx_string("there"),
    ngx_string("these"), ngx_string("they"), ngx_string("this"),
    ngx_string("to"), ngx_string("was"), ngx_string("will"),
    ngx_string("with")
};


ngx_int_t
kz_analysis_tokenizer(kz_analysis_t *a, kz_analyzer_t *z,
    const ngx_str_t *name)
{
    ngx_str_t           type, shown;
    kz_json_val_t       def;
    kz_tokenizer_t     *t;
    kz_token_filter_t   f;

    t = &z->tokenizer;
    t->max = KZ_WORD_MAX_CHARS;
    type = *name;
    shown = *name;
    shown.len = ngx_min(shown.len, 64);

    ngx_memzero(&def, sizeof(kz_json_val_t));

    if (kz_analysis_get(a, KZ_DEFS_TOKENIZER, name, &def) == NGX_OK) {

        if (def.type != KZ_JSON_OBJECT
            || kz_analysis_text(a, &shown, &def, "type", &type) != NGX_OK)
        {
            return (a->err[0] != '\0')
                   ? NGX_ERROR
                   : kz_analysis_bad(a, "tokenizer [%V] needs a type",
                                     &shown);
        }

        type.len = ngx_min(type.len, 64);
    }

    if (kz_analysis_is(&type, "standard")) {
        t->type = KZ_TOKENIZER_STANDARD;

    } else if (kz_analysis_is(&type, "letter")
               || kz_analysis_is(&type, "lowercase"))
    {
        t->type = KZ_TOKENIZER_LETTER;

        ngx_memzero(&f, sizeof(kz_token_filter_t));
        f.type = KZ_TOKEN_LOWER;

        if (kz_analysis_is(&type, "lowercase")
            && kz_analysis_add(a, z, &f) != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (kz_analysis_is(&type, "whitespace")) {
        t->type = KZ_TOKENIZER_WHITESPACE;

    } else if (kz_analysis_is(&type, "keyword")) {
        t->type = KZ_TOKENIZER_KEYWORD;

    } else if (kz_analysis_is(&type, "ngram")
               || kz_analysis_is(&type, "nGram"))
    {
        t->type = KZ_TOKENIZER_NGRAM;

    } else if (kz_analysis_is(&type, "edge_ngram")
               || kz_analysis_is(&type, "edgeNGram"))
    {
        t->type = KZ_TOKENIZER_EDGE_NGRAM;

    } else {
        return kz_analysis_bad(a, "tokenizer [%V] is not supported", &type);
    }

    if (t->type >= KZ_TOKENIZER_NGRAM) {
        return kz_analysis_chars(a, t, &shown, &def);
    }

    if (def.type == KZ_JSON_NONE) {
        return NGX_OK;
    }

    if (kz_analysis_known(a, &shown, &def,
                          (t->type == KZ_TOKENIZER_KEYWORD)
                          ? "type buffer_size" : "type max_token_length")
        != NGX_OK
        || kz_analysis_number(a, &shown, &def, "max_token_length", &t->max)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (t->max < 1 || t->max > KZ_WORD_MAX_CHARS) {
        return kz_analysis_bad(a, "[%V]: max_token_length must be between 1"
                               " and %d", &shown, KZ_WORD_MAX_CHARS);
    }

    return NGX_OK;
}


/* ngram, edge_ngram */
static ngx_int_t
kz_analysis_chars(kz_analysis_t *a, kz_tokenizer_t *t, const ngx_str_t *name,
    const kz_json_val_t *def)
{
    kz_json_val_t    list, item;
    kz_json_iter_t   it;

    t->min_gram = 1;
    t->max_gram = 2;

    if (def->type == KZ_JSON_NONE) {
        return NGX_OK;
    }

    if (kz_analysis_known(a, name, def, "type min_gram max_gram token_chars")
        != NGX_OK
        || kz_analysis_number(a, name, def, "min_gram", &t->min_gram)
           != NGX_OK
        || kz_analysis_number(a, name, def, "max_gram", &t->max_gram)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (t->min_gram < 1 || t->max_gram < t->min_gram
        || t->max_gram > KZ_ANALYSIS_MAX_GRAM)
    {
        return kz_analysis_bad(a, "[%V]: min_gram must be at least 1,"
                               " max_gram not less and at most %d", name,
                               KZ_ANALYSIS_MAX_GRAM);
    }

    if (kz_json_get(def, "token_chars", 11, &list) != NGX_OK) {
        return NGX_OK;
    }

    if (list.type != KZ_JSON_ARRAY) {
        return kz_analysis_bad(a, "[%V]: token_chars must be an array",
                               name);
    }

    kz_json_iter(&it, &list);

    while (kz_json_next(&it, &item) == NGX_OK) {

        if (kz_analysis_is(&item.raw, "\"letter\"")) {
            t->chars |= KZ_CHARS_LETTER;

        } else if (kz_analysis_is(&item.raw, "\"digit\"")) {
            t->chars |= KZ_CHARS_DIGIT;

        } else if (kz_analysis_is(&item.raw, "\"whitespace\"")) {
            t->chars |= KZ_CHARS_SPACE;

        } else {
            item.raw.len = ngx_min(item.raw.len, 64);

            return kz_analysis_bad(a, "[%V]: token_chars %V is not"
                                   " supported", name, &item.raw);
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_analysis_filter(kz_analysis_t *a, kz_analyzer_t *z, kz_defs_e kind,
    const ngx_str_t *name)
{
    ngx_str_t           type, shown;
    ngx_uint_t          i;
    kz_json_val_t       def;
    kz_token_filter_t   f;

    ngx_memzero(&f, sizeof(kz_token_filter_t));
    ngx_memzero(&def, sizeof(kz_json_val_t));

    type = *name;
    shown = *name;
    shown.len = ngx_min(shown.len, 64);

    if (kz_analysis_get(a, KZ_DEFS_FILTER, name, &def) == NGX_OK) {

        if (def.type != KZ_JSON_OBJECT
            || kz_analysis_text(a, &shown, &def, "type", &type) != NGX_OK)
        {
            return (a->err[0] != '\0')
                   ? NGX_ERROR
                   : kz_analysis_bad(a, "filter [%V] needs a type", &shown);
        }
    }

    for (i = 0; kz_analysis_filter_types[i].name != NULL; i++) {
        if (type.len == ngx_strlen(kz_analysis_filter_types[i].name)
            && ngx_memcmp(type.data, kz_analysis_filter_types[i].name,
                          type.len)
               == 0)
        {
            break;
        }
    }

    if (kz_analysis_filter_types[i].name == NULL) {
        type.len = ngx_min(type.len, 64);

        return kz_analysis_bad(a, (def.type == KZ_JSON_NONE)
                               ? "filter [%V] is not supported"
                               : "filter [%V]: type [%V] is not supported",
                               &shown, &type);
    }

    if (kind == KZ_DEFS_NORMALIZER && !kz_analysis_filter_types[i].normalizes)
    {
        return kz_analysis_bad(a, "Custom normalizer [%V] may not use filter"
                               " [%V]", &z->name, &shown);
    }

    f.type = kz_analysis_filter_types[i].type;

    if (def.type != KZ_JSON_NONE
        && kz_analysis_known(a, &shown, &def,
                             kz_analysis_filter_types[i].keys)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_analysis_params(a, &f, &shown, &def) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kind == KZ_DEFS_NORMALIZER && f.keep) {
        return kz_analysis_bad(a, "Custom normalizer [%V] may not use filter"
                               " [%V] with preserve_original", &z->name,
                               &shown);
    }

    return kz_analysis_add(a, z, &f);
}


static ngx_int_t
kz_analysis_params(kz_analysis_t *a, kz_token_filter_t *f,
    const ngx_str_t *name, const kz_json_val_t *def)
{
    ngx_str_t       side;
    ngx_uint_t      flag;
    kz_json_val_t   words;

    f->min = (f->type == KZ_TOKEN_LENGTH) ? 0 : 1;
    f->max = (f->type == KZ_TOKEN_LENGTH) ? NGX_MAX_INT32_VALUE
             : (f->type == KZ_TOKEN_TRUNCATE) ? 10 : 2;

    words.type = KZ_JSON_NONE;

    if (def->type == KZ_JSON_NONE) {
        return (f->type == KZ_TOKEN_STOP)
               ? kz_analysis_stop(a, f, name, &words) : NGX_OK;
    }

    flag = 0;

    if (kz_analysis_flag(a, name, def, "ignore_case", &flag) != NGX_OK) {
        return NGX_ERROR;
    }

    f->nocase = flag;
    flag = 0;

    if (kz_analysis_flag(a, name, def, "preserve_original", &flag)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    f->keep = flag;
    flag = 0;

    if (kz_analysis_flag(a, name, def, "only_on_same_position", &flag)
        != NGX_OK
        || flag)
    {
        return (a->err[0] != '\0')
               ? NGX_ERROR
               : kz_analysis_bad(a, "[%V]: only_on_same_position is not"
                                 " supported", name);
    }

    flag = 1;

    if (kz_analysis_flag(a, name, def, "remove_trailing", &flag) != NGX_OK
        || !flag)
    {
        return (a->err[0] != '\0')
               ? NGX_ERROR
               : kz_analysis_bad(a, "[%V]: remove_trailing false is not"
                                 " supported", name);
    }

    if (kz_json_get(def, "side", 4, &words) == NGX_OK) {
        side = words.raw;

        if (!kz_analysis_is(&side, "\"front\"")) {
            side.len = ngx_min(side.len, 64);
            return kz_analysis_bad(a, "[%V]: side %V is not supported", name,
                                   &side);
        }

        words.type = KZ_JSON_NONE;
    }

    if (kz_analysis_number(a, name, def, "min", &f->min) != NGX_OK
        || kz_analysis_number(a, name, def, "max", &f->max) != NGX_OK
        || kz_analysis_number(a, name, def, "min_gram", &f->min) != NGX_OK
        || kz_analysis_number(a, name, def, "max_gram", &f->max) != NGX_OK
        || kz_analysis_number(a, name, def, "length", &f->max) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if ((f->type == KZ_TOKEN_NGRAM || f->type == KZ_TOKEN_EDGE_NGRAM)
        && (f->min < 1 || f->max < f->min || f->max > KZ_ANALYSIS_MAX_GRAM))
    {
        return kz_analysis_bad(a, "[%V]: min_gram must be at least 1,"
                               " max_gram not less and at most %d", name,
                               KZ_ANALYSIS_MAX_GRAM);
    }

    if (f->type == KZ_TOKEN_STOP) {
        (void) kz_json_get(def, "stopwords", 9, &words);
        return kz_analysis_stop(a, f, name, &words);
    }

    return NGX_OK;
}


ngx_int_t
kz_analysis_add(kz_analysis_t *a, kz_analyzer_t *z, kz_token_filter_t *f)
{
    if (z->nfilters == KZ_ANALYSIS_MAX_FILTERS) {
        return kz_analysis_bad(a, "[%V]: more than %d filters are not"
                               " supported", &z->name,
                               KZ_ANALYSIS_MAX_FILTERS);
    }

    z->filters[z->nfilters++] = *f;

    return NGX_OK;
}


/* "_english_", "_none_", a list of words, or nothing: the English ones. */
ngx_int_t
kz_analysis_stop(kz_analysis_t *a, kz_token_filter_t *f,
    const ngx_str_t *name, const kz_json_val_t *words)
{
    u_char          *p;
    ngx_uint_t       n;
    kz_json_val_t    item;
    kz_json_iter_t   it;

    f->words = kz_analysis_english;
    f->nwords = sizeof(kz_analysis_english) / sizeof(ngx_str_t);

    if (words->type == KZ_JSON_NONE
        || kz_analysis_is(&words->raw, "\"_english_\""))
    {
        return NGX_OK;
    }

    f->nwords = 0;

    if (kz_analysis_is(&words->raw, "\"_none_\"")) {
        return NGX_OK;
    }

    if (words->type != KZ_JSON_ARRAY) {
        item = *words;
        item.raw.len = ngx_min(item.raw.len, 64);

        return kz_analysis_bad(a, "[%V]: stopwords %V is not supported",
                               name, &item.raw);
    }

    n = 0;
    kz_json_iter(&it, words);

    while (kz_json_next(&it, &item) == NGX_OK) {
        n++;
    }

    f->words = ngx_palloc(a->pool, (n + 1) * sizeof(ngx_str_t));
    if (f->words == NULL) {
        return NGX_ERROR;
    }

    kz_json_iter(&it, words);

    while (kz_json_next(&it, &item) == NGX_OK) {

        if (item.type != KZ_JSON_STRING
            || (item.raw.len > 2 && item.raw.data[1] == '_'
                && item.raw.data[item.raw.len - 2] == '_'))
        {
            item.raw.len = ngx_min(item.raw.len, 64);

            return kz_analysis_bad(a, "[%V]: stopwords %V is not supported",
                                   name, &item.raw);
        }

        if (kz_json_string(a->pool, &item, &f->words[f->nwords]) != NGX_OK) {
            return NGX_ERROR;
        }

        if (f->nocase) {
            p = ngx_pnalloc(a->pool,
                            KZ_LOWER_ROOM(f->words[f->nwords].len));
            if (p == NULL) {
                return NGX_ERROR;
            }

            f->words[f->nwords].len = kz_lower(p, f->words[f->nwords].data,
                                               f->words[f->nwords].len) - p;
            f->words[f->nwords].data = p;
        }

        f->nwords++;
    }

    qsort(f->words, f->nwords, sizeof(ngx_str_t), kz_analysis_cmp);

    return NGX_OK;
}


static int
kz_analysis_cmp(const void *one, const void *two)
{
    const ngx_str_t  *a = one;
    const ngx_str_t  *b = two;

    return (int) ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


/*
 * Analyzers by name: the built-in ones and those of a collection's settings.
 *
 *     {"analysis": {
 *         "analyzer":   {"a": {"tokenizer": "t", "filter": ["lowercase"]}},
 *         "normalizer": {"n": {"filter": ["lowercase", "asciifolding"]}},
 *         "tokenizer":  {"t": {"type": "ngram", "min_gram": 2}},
 *         "filter":     {"f": {"type": "stop", "stopwords": "_english_"}}}}
 *
 * What this store cannot do as the original does it is refused by name, when
 * the settings are read, used or not.
 */

#include "store/kz_analysis_int.h"
#include "util/kz_word.h"

#include <stdarg.h>


static const kz_analyzer_t *kz_analysis_find(const kz_analysis_t *a,
    ngx_pool_t *pool, kz_defs_e kind, const ngx_str_t *name, u_char *err);
static ngx_int_t kz_analysis_defs(kz_analysis_t *a,
    const kz_json_val_t *analysis);
static ngx_int_t kz_analysis_check(kz_analysis_t *a, kz_defs_e kind);
static kz_analyzer_t *kz_analysis_make(kz_analysis_t *a, kz_defs_e kind,
    const ngx_str_t *name);
static ngx_int_t kz_analysis_define(kz_analysis_t *a, kz_analyzer_t *z,
    kz_defs_e kind, const kz_json_val_t *def);
static ngx_int_t kz_analysis_custom(kz_analysis_t *a, kz_analyzer_t *z,
    kz_defs_e kind, const kz_json_val_t *def);
static ngx_int_t kz_analysis_filters(kz_analysis_t *a, kz_analyzer_t *z,
    kz_defs_e kind, const kz_json_val_t *list);
static ngx_int_t kz_analysis_preset(kz_analysis_t *a, kz_analyzer_t *z,
    const ngx_str_t *type, const kz_json_val_t *def);


static const char  *kz_analysis_sections[] = {
    "analyzer", "normalizer", "tokenizer", "filter", "char_filter"
};


kz_analysis_t *
kz_analysis_create(ngx_pool_t *pool, const kz_json_val_t *settings,
    u_char *err)
{
    ngx_uint_t      i;
    kz_analysis_t  *a;
    kz_json_val_t   index, v;

    err[0] = '\0';

    a = ngx_pcalloc(pool, sizeof(kz_analysis_t));
    if (a == NULL) {
        return NULL;
    }

    a->pool = pool;
    a->err = err;

    if (settings == NULL || settings->type != KZ_JSON_OBJECT) {
        return a;
    }

    if (kz_json_get(settings, "analysis", 8, &v) == NGX_OK
        && kz_analysis_defs(a, &v) != NGX_OK)
    {
        return NULL;
    }

    if (kz_json_get(settings, "index.analysis", 14, &v) == NGX_OK
        && kz_analysis_defs(a, &v) != NGX_OK)
    {
        return NULL;
    }

    if (kz_json_get(settings, "index", 5, &index) == NGX_OK
        && index.type == KZ_JSON_OBJECT
        && kz_json_get(&index, "analysis", 8, &v) == NGX_OK
        && kz_analysis_defs(a, &v) != NGX_OK)
    {
        return NULL;
    }

    for (i = 0; i < KZ_DEFS_N; i++) {
        if (kz_analysis_check(a, i) != NGX_OK) {
            return NULL;
        }
    }

    return a;
}


static ngx_int_t
kz_analysis_defs(kz_analysis_t *a, const kz_json_val_t *analysis)
{
    ngx_str_t          key;
    ngx_uint_t         i;
    kz_json_iter_t     it;
    kz_json_member_t   member;

    if (analysis->type != KZ_JSON_OBJECT) {
        return kz_analysis_bad(a, "[analysis] must be an object");
    }

    kz_json_iter(&it, analysis);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        for (i = 0; i < KZ_DEFS_N; i++) {
            if (kz_json_key_is(&member, kz_analysis_sections[i],
                               ngx_strlen(kz_analysis_sections[i]))
                == NGX_OK)
            {
                break;
            }
        }

        if (i == KZ_DEFS_N) {
            key = member.key;
            key.len = ngx_min(key.len, 64);

            return kz_analysis_bad(a, "[analysis.%V] is not supported",
                                   &key);
        }

        if (member.val.type != KZ_JSON_OBJECT) {
            return kz_analysis_bad(a, "[analysis.%s] must be an object",
                                   kz_analysis_sections[i]);
        }

        a->defs[i] = member.val;
    }

    return NGX_OK;
}


/* Every definition, to find out what is wrong with it. */
static ngx_int_t
kz_analysis_check(kz_analysis_t *a, kz_defs_e kind)
{
    ngx_int_t          rc;
    ngx_str_t          name;
    ngx_uint_t         n;
    kz_analyzer_t      scratch;
    kz_json_val_t      v;
    kz_json_iter_t     it;
    kz_json_member_t   member;

    if (a->defs[kind].type != KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    n = 0;
    kz_json_iter(&it, &a->defs[kind]);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        v.type = KZ_JSON_STRING;
        v.escaped = member.escaped;
        v.raw.data = member.key.data - 1;
        v.raw.len = member.key.len + 2;

        if (kz_json_string(a->pool, &v, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        if (++n > KZ_ANALYSIS_MAX_NAMES) {
            return kz_analysis_bad(a, "[analysis.%s] holds more than %d"
                                   " names", kz_analysis_sections[kind],
                                   KZ_ANALYSIS_MAX_NAMES);
        }

        ngx_memzero(&scratch, sizeof(kz_analyzer_t));
        scratch.name = name;

        switch (kind) {

        case KZ_DEFS_TOKENIZER:
            rc = kz_analysis_tokenizer(a, &scratch, &name);
            break;

        case KZ_DEFS_FILTER:
            rc = kz_analysis_filter(a, &scratch, KZ_DEFS_ANALYZER, &name);
            break;

        case KZ_DEFS_CHAR_FILTER:
            name.len = ngx_min(name.len, 64);
            rc = kz_analysis_bad(a, "char_filter [%V] is not supported",
                                 &name);
            break;

        default:
            rc = (kz_analysis_make(a, kind, &name) != NULL) ? NGX_OK
                                                            : NGX_ERROR;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


const kz_analyzer_t *
kz_analysis_analyzer(const kz_analysis_t *a, ngx_pool_t *pool,
    const ngx_str_t *name, u_char *err)
{
    return kz_analysis_find(a, pool, KZ_DEFS_ANALYZER, name, err);
}


const kz_analyzer_t *
kz_analysis_normalizer(const kz_analysis_t *a, ngx_pool_t *pool,
    const ngx_str_t *name, u_char *err)
{
    return kz_analysis_find(a, pool, KZ_DEFS_NORMALIZER, name, err);
}


/* Several threads may ask: what is made here is the caller's alone. */
static const kz_analyzer_t *
kz_analysis_find(const kz_analysis_t *a, ngx_pool_t *pool, kz_defs_e kind,
    const ngx_str_t *name, u_char *err)
{
    kz_analysis_t  own;

    err[0] = '\0';

    own = *a;
    own.pool = pool;
    own.err = err;

    return kz_analysis_make(&own, kind, name);
}


/* The one of that name, made when it is asked for first. */
static kz_analyzer_t *
kz_analysis_make(kz_analysis_t *a, kz_defs_e kind, const ngx_str_t *name)
{
    ngx_int_t        rc;
    ngx_str_t        shown;
    kz_analyzer_t   *z;
    kz_json_val_t    def;

    for (z = a->made[kind]; z != NULL; z = z->next) {
        if (z->name.len == name->len
            && ngx_memcmp(z->name.data, name->data, name->len) == 0)
        {
            return z;
        }
    }

    z = ngx_pcalloc(a->pool, sizeof(kz_analyzer_t));
    if (z == NULL) {
        return NULL;
    }

    z->name.len = name->len;
    z->name.data = ngx_pstrdup(a->pool, (ngx_str_t *) name);

    if (z->name.data == NULL) {
        return NULL;
    }

    def.type = KZ_JSON_NONE;

    if (kz_analysis_get(a, kind, name, &def) == NGX_OK) {
        rc = kz_analysis_define(a, z, kind, &def);

    } else if (kind == KZ_DEFS_NORMALIZER) {

        if (kz_analysis_is(name, "lowercase")) {
            *z = *kz_analysis_lowercase();
            z->name.data = ngx_pstrdup(a->pool, (ngx_str_t *) name);
            rc = (z->name.data != NULL) ? NGX_OK : NGX_ERROR;

        } else {
            shown = *name;
            shown.len = ngx_min(shown.len, 64);
            rc = kz_analysis_bad(a, "normalizer [%V] not found", &shown);
        }

    } else {
        rc = kz_analysis_preset(a, z, name, &def);
    }

    if (rc != NGX_OK) {
        return NULL;
    }

    z->next = a->made[kind];
    a->made[kind] = z;

    return z;
}


static ngx_int_t
kz_analysis_define(kz_analysis_t *a, kz_analyzer_t *z, kz_defs_e kind,
    const kz_json_val_t *def)
{
    ngx_int_t   rc;
    ngx_str_t   type;

    if (def->type != KZ_JSON_OBJECT) {
        return kz_analysis_bad(a, "[%V] must be an object", &z->name);
    }

    rc = kz_analysis_text(a, &z->name, def, "type", &type);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED || kz_analysis_is(&type, "custom")) {
        return kz_analysis_custom(a, z, kind, def);
    }

    if (kind == KZ_DEFS_NORMALIZER) {
        return kz_analysis_bad(a, "normalizer [%V]: type [%V] is not"
                               " supported", &z->name, &type);
    }

    return kz_analysis_preset(a, z, &type, def);
}


static ngx_int_t
kz_analysis_custom(kz_analysis_t *a, kz_analyzer_t *z, kz_defs_e kind,
    const kz_json_val_t *def)
{
    ngx_int_t       rc;
    ngx_str_t       name;
    kz_json_val_t   v;

    if (kz_analysis_known(a, &z->name, def,
                          (kind == KZ_DEFS_ANALYZER)
                          ? "type tokenizer filter char_filter"
                            " position_increment_gap"
                          : "type filter char_filter")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_json_get(def, "char_filter", 11, &v) == NGX_OK
        && (v.type != KZ_JSON_ARRAY || v.raw.len != 2))
    {
        name = v.raw;
        name.len = ngx_min(name.len, 64);

        return kz_analysis_bad(a, "[%V]: char_filter %V is not supported",
                               &z->name, &name);
    }

    if (kind == KZ_DEFS_NORMALIZER) {
        z->tokenizer.type = KZ_TOKENIZER_KEYWORD;

    } else {
        rc = kz_analysis_text(a, &z->name, def, "tokenizer", &name);

        if (rc == NGX_DECLINED) {
            return kz_analysis_bad(a, "analyzer [%V] must specify either an"
                                   " analyzer type, or a tokenizer",
                                   &z->name);
        }

        if (rc != NGX_OK || kz_analysis_tokenizer(a, z, &name) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (kz_json_get(def, "filter", 6, &v) != NGX_OK) {
        return NGX_OK;
    }

    return kz_analysis_filters(a, z, kind, &v);
}


/* A name, or an array of them. */
static ngx_int_t
kz_analysis_filters(kz_analysis_t *a, kz_analyzer_t *z, kz_defs_e kind,
    const kz_json_val_t *list)
{
    ngx_str_t        name;
    kz_json_val_t    item;
    kz_json_iter_t   it;

    if (list->type == KZ_JSON_STRING) {
        return (kz_json_string(a->pool, list, &name) == NGX_OK)
               ? kz_analysis_filter(a, z, kind, &name) : NGX_ERROR;
    }

    if (list->type != KZ_JSON_ARRAY) {
        return kz_analysis_bad(a, "[%V]: [filter] must be a list of names",
                               &z->name);
    }

    kz_json_iter(&it, list);

    while (kz_json_next(&it, &item) == NGX_OK) {

        if (item.type != KZ_JSON_STRING) {
            return kz_analysis_bad(a, "[%V]: [filter] must be a list of"
                                   " names", &z->name);
        }

        if (kz_json_string(a->pool, &item, &name) != NGX_OK
            || kz_analysis_filter(a, z, kind, &name) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* The analyzers that need no tokenizer: built in, or as a type. */
static ngx_int_t
kz_analysis_preset(kz_analysis_t *a, kz_analyzer_t *z, const ngx_str_t *type,
    const kz_json_val_t *def)
{
    ngx_str_t           shown;
    ngx_uint_t          stop;
    kz_json_val_t       words;
    kz_tokenizer_t     *t;
    kz_token_filter_t   f;

    t = &z->tokenizer;
    t->max = KZ_WORD_MAX_CHARS;
    stop = 0;

    if (kz_analysis_is(type, "standard") || kz_analysis_is(type, "default"))
    {
        t->type = KZ_TOKENIZER_STANDARD;
        stop = 1;

        if (def->type != KZ_JSON_NONE
            && (kz_analysis_known(a, &z->name, def,
                                  "type max_token_length stopwords")
                != NGX_OK
                || kz_analysis_number(a, &z->name, def, "max_token_length",
                                      &t->max)
                   != NGX_OK))
        {
            return NGX_ERROR;
        }

    } else if (kz_analysis_is(type, "simple")
               || kz_analysis_is(type, "stop"))
    {
        t->type = KZ_TOKENIZER_LETTER;
        stop = kz_analysis_is(type, "stop") ? 2 : 0;

    } else if (kz_analysis_is(type, "whitespace")
               || kz_analysis_is(type, "keyword"))
    {
        t->type = kz_analysis_is(type, "keyword") ? KZ_TOKENIZER_KEYWORD
                                                  : KZ_TOKENIZER_WHITESPACE;

        return (def->type == KZ_JSON_NONE)
               ? NGX_OK : kz_analysis_known(a, &z->name, def, "type");

    } else {
        shown = *type;
        shown.len = ngx_min(shown.len, 64);

        return (def->type == KZ_JSON_NONE)
               ? kz_analysis_bad(a, "analyzer [%V] has not been configured"
                                 " in mappings, or is not supported", &shown)
               : kz_analysis_bad(a, "analyzer [%V]: type [%V] is not"
                                 " supported", &z->name, &shown);
    }

    if (t->max < 1 || t->max > KZ_WORD_MAX_CHARS) {
        return kz_analysis_bad(a, "[%V]: max_token_length must be between 1"
                               " and %d", &z->name, KZ_WORD_MAX_CHARS);
    }

    if (t->type == KZ_TOKENIZER_LETTER && def->type != KZ_JSON_NONE
        && kz_analysis_known(a, &z->name, def,
                             stop ? "type stopwords" : "type")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memzero(&f, sizeof(kz_token_filter_t));
    f.type = KZ_TOKEN_LOWER;

    if (kz_analysis_add(a, z, &f) != NGX_OK) {
        return NGX_ERROR;
    }

    words.type = KZ_JSON_NONE;

    if (def->type == KZ_JSON_OBJECT) {
        (void) kz_json_get(def, "stopwords", 9, &words);
    }

    if (stop == 0 || (stop == 1 && words.type == KZ_JSON_NONE)) {
        return NGX_OK;
    }

    f.type = KZ_TOKEN_STOP;

    if (kz_analysis_stop(a, &f, &z->name, &words) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_analysis_add(a, z, &f);
}


/* Every key of the definition is one of those, with spaces between them. */
ngx_int_t
kz_analysis_known(kz_analysis_t *a, const ngx_str_t *name,
    const kz_json_val_t *def, const char *keys)
{
    size_t             n;
    ngx_str_t          key, shown;
    const char        *p;
    kz_json_iter_t     it;
    kz_json_member_t   member;

    kz_json_iter(&it, def);

    while (kz_json_next_member(&it, &member) == NGX_OK) {
        key = member.key;

        if (kz_analysis_is(&key, "type") || kz_analysis_is(&key, "version"))
        {
            continue;
        }

        for (p = keys; *p != '\0'; p += n + (p[n] == ' ')) {
            n = strcspn(p, " ");

            if (n == key.len && ngx_memcmp(p, key.data, n) == 0) {
                break;
            }
        }

        if (*p == '\0') {
            shown = *name;
            shown.len = ngx_min(shown.len, 64);
            key.len = ngx_min(key.len, 64);

            return kz_analysis_bad(a, "[%V]: [%V] is not supported", &shown,
                                   &key);
        }
    }

    return NGX_OK;
}


/* A number, also as text; *n is left as it is when there is none. */
ngx_int_t
kz_analysis_number(kz_analysis_t *a, const ngx_str_t *name,
    const kz_json_val_t *def, const char *key, ngx_uint_t *n)
{
    ngx_int_t       value;
    ngx_str_t       text;
    kz_json_val_t   v;

    if (kz_json_get(def, key, ngx_strlen(key), &v) != NGX_OK) {
        return NGX_OK;
    }

    text = v.raw;

    if (v.type == KZ_JSON_STRING) {
        text.data++;
        text.len -= 2;
    }

    value = (text.len < 10) ? ngx_atoi(text.data, text.len) : NGX_ERROR;

    if (value == NGX_ERROR) {
        return kz_analysis_bad(a, "[%V]: [%s] must be a number", name, key);
    }

    *n = value;

    return NGX_OK;
}


ngx_int_t
kz_analysis_flag(kz_analysis_t *a, const ngx_str_t *name,
    const kz_json_val_t *def, const char *key, ngx_uint_t *flag)
{
    kz_json_val_t  v;

    if (kz_json_get(def, key, ngx_strlen(key), &v) != NGX_OK) {
        return NGX_OK;
    }

    if (v.type == KZ_JSON_TRUE || kz_analysis_is(&v.raw, "\"true\"")) {
        *flag = 1;
        return NGX_OK;
    }

    if (v.type == KZ_JSON_FALSE || kz_analysis_is(&v.raw, "\"false\"")) {
        *flag = 0;
        return NGX_OK;
    }

    return kz_analysis_bad(a, "[%V]: [%s] must be true or false", name, key);
}


/* NGX_DECLINED: there is none. */
ngx_int_t
kz_analysis_text(kz_analysis_t *a, const ngx_str_t *name,
    const kz_json_val_t *def, const char *key, ngx_str_t *text)
{
    ngx_str_t       shown;
    kz_json_val_t   v;

    if (kz_json_get(def, key, ngx_strlen(key), &v) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (v.type != KZ_JSON_STRING) {
        shown = *name;
        shown.len = ngx_min(shown.len, 64);

        return kz_analysis_bad(a, "[%V]: [%s] must be a name", &shown, key);
    }

    return kz_json_string(a->pool, &v, text);
}


ngx_int_t
kz_analysis_get(kz_analysis_t *a, kz_defs_e kind, const ngx_str_t *name,
    kz_json_val_t *def)
{
    if (a->defs[kind].type != KZ_JSON_OBJECT) {
        return NGX_DECLINED;
    }

    return kz_json_get(&a->defs[kind], (char *) name->data, name->len, def);
}


ngx_int_t
kz_analysis_bad(kz_analysis_t *a, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(a->err, a->err + KZ_ANALYSIS_ERR_LEN - 1, fmt, args);
    va_end(args);

    *p = '\0';

    return NGX_ERROR;
}

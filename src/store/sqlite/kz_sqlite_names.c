
/*
 * Which names an index or a collection may have.  Creation follows the rules
 * of the generation that asks; what exists is usable from both.
 *
 * Kuzzle: generation 1 hands names to Elasticsearch 5 as they are, so these
 * are its rules and its words; generation 2 has one rule of its own.
 */

#include "store/sqlite/kz_sqlite_writer.h"


static const struct {
    const char  *collection;
    const char  *mapping;
} kz_names_internal[] = {

    { "validations", "{\"dynamic\":\"false\",\"properties\":{"
      "\"index\":{\"type\":\"keyword\"},"
      "\"collection\":{\"type\":\"keyword\"}}}" },

    { NULL, NULL }
};


static ngx_uint_t kz_names_any(const ngx_str_t *name, const char *chars);
static ngx_uint_t kz_names_upper(const ngx_str_t *name);
static const char *kz_names_v2(const ngx_str_t *name);


static ngx_uint_t
kz_names_any(const ngx_str_t *name, const char *chars)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {

        /* strchr() would find the end of chars for a zero byte */

        if (name->data[i] == '\0' || strchr(chars, name->data[i]) != NULL) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
kz_names_upper(const ngx_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (name->data[i] >= 'A' && name->data[i] <= 'Z') {
            return 1;
        }
    }

    return 0;
}


static const char *
kz_names_v2(const ngx_str_t *name)
{
    if (name->len == 0 || name->len > 126
        || kz_names_upper(name)
        || kz_names_any(name, "\\/*?\"<>| \t\r\n,+#:.&%")
        || (name->len == 4 && ngx_memcmp(name->data, "_all", 4) == 0))
    {
        return "is invalid";
    }

    return NULL;
}


const char *
kz_store_bad_index(const ngx_str_t *name, kz_dialect_e dialect)
{
    if (dialect == KZ_DIALECT_2) {
        return kz_names_v2(name);
    }

    if (name->len == 0) {
        return "must not be empty";
    }

    if (kz_names_any(name, " \"*\\<|,>/?\t\r\n")) {
        return "must not contain the following characters "
               "[ , \", *, \\, <, |, ,, >, /, ?]";
    }

    if (kz_names_any(name, "#")) {
        return "must not contain '#'";
    }

    if (name->data[0] == '_' || name->data[0] == '-'
        || name->data[0] == '+')
    {
        return "must not start with '_', '-', or '+'";
    }

    if (name->data[0] == '%') {
        return "must not start with '%'";
    }

    if (kz_names_upper(name)) {
        return "must be lowercase";
    }

    if (name->len > 255) {
        return "index name is too long";
    }

    if (name->data[0] == '.'
        && (name->len == 1 || (name->len == 2 && name->data[1] == '.')))
    {
        return "must not be '.' or '..'";
    }

    return NULL;
}


const char *
kz_store_bad_collection(const ngx_str_t *name, kz_dialect_e dialect)
{
    if (name->len == 12
        && ngx_memcmp(name->data, "_kuzzle_keep", 12) == 0)
    {
        return "is reserved";
    }

    if (dialect == KZ_DIALECT_2) {
        return kz_names_v2(name);
    }

    if (name->len == 0) {
        return "must not be empty";
    }

    if (kz_names_any(name, "#,")) {
        return "must not contain '#' or ','";
    }

    if (name->data[0] == '_') {
        return "must not start with '_'";
    }

    if (name->len > 255) {
        return "is too long, limit is length 255";
    }

    return NULL;
}


ngx_uint_t
kz_store_internal(const ngx_str_t *index)
{
    return index->len == sizeof(KZ_STORE_INTERNAL) - 1
           && ngx_memcmp(index->data, KZ_STORE_INTERNAL, index->len) == 0;
}


const char *
kz_store_internal_mapping(const ngx_str_t *collection)
{
    ngx_uint_t  i;

    for (i = 0; kz_names_internal[i].collection != NULL; i++) {
        if (ngx_strlen(kz_names_internal[i].collection) == collection->len
            && ngx_memcmp(kz_names_internal[i].collection, collection->data,
                          collection->len)
               == 0)
        {
            return kz_names_internal[i].mapping;
        }
    }

    return NULL;
}

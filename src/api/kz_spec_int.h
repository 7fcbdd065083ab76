#ifndef _KZ_SPEC_INT_H_INCLUDED_
#define _KZ_SPEC_INT_H_INCLUDED_

/*
 * Private to kz_spec*.c: what a compiled specification is made of.
 *
 *     spec -> root level -> fields -> level of an object's fields -> ...
 *
 * A level is looked up by hash, so that a document costs its length and not
 * its length times the number of fields.
 */

#include "api/kz_spec.h"
#include "core/kz_error.h"
#include "realtime/kz_realtime.h"


typedef struct kz_spec_field_s  kz_spec_field_t;
typedef struct kz_spec_type_s   kz_spec_type_t;
typedef struct kz_spec_run_s    kz_spec_run_t;
typedef struct kz_spec_msg_s    kz_spec_msg_t;


typedef struct {
    ngx_uint_t            number;      /* of the level */
    ngx_uint_t            n;
    ngx_uint_t            nwords;
    ngx_uint_t            mask;
    kz_spec_field_t     **fields;      /* as declared */
    kz_spec_field_t     **buckets;
    uint64_t             *mandatory;   /* bits; without those that have a
                                          default value */
    uint64_t             *defaults;    /* bits: a value to write */
    unsigned              strict:1;
    unsigned              fills:1;     /* here or below are default values */
} kz_spec_level_t;


/* "min" and "max" of a range, a length */

typedef struct {
    double                min;
    double                max;
    ngx_str_t             min_text;
    ngx_str_t             max_text;
    unsigned              has_min:1;
    unsigned              has_max:1;
    unsigned              min_now:1;   /* dates: "NOW" */
    unsigned              max_now:1;
} kz_spec_range_t;


typedef struct {
    const char           *pattern;
    ngx_uint_t            strict;      /* numbers of digits are fixed */
} kz_spec_format_t;


struct kz_spec_field_s {
    ngx_str_t             path;        /* as declared: "a/b" */
    ngx_str_t             name;        /* its last part */
    ngx_str_t             dots;        /* "a.b" */
    ngx_uint_t            depth;       /* 1: at the root */
    ngx_uint_t            number;      /* of the field */
    ngx_uint_t            place;       /* in its level */
    uint32_t              hash;        /* of the name */

    const kz_spec_type_t *type;
    kz_json_val_t         spec;
    kz_spec_field_t      *parent;
    kz_spec_field_t      *next;        /* in its bucket */
    kz_spec_level_t       level;       /* an object's */

    kz_json_val_t         fallback;    /* defaultValue; NONE: no such */
    int64_t               min_count;   /* -1: none */
    int64_t               max_count;

    kz_spec_range_t       range;
    ngx_array_t           values;      /* enum: of ngx_str_t */
    ngx_array_t           formats;     /* date: of kz_spec_format_t */
    ngx_uint_t            shapes;      /* geo_shape: bits of allowed ones */

    unsigned              mandatory:1;
    unsigned              multi:1;
    unsigned              not_empty:1;
    unsigned              strict:1;    /* object; inherited when not given */
    unsigned              strict_given:1;
};


struct kz_spec_s {
    kz_spec_level_t       root;
    ngx_uint_t            nfields;
    ngx_uint_t            nlevels;
    kz_filter_t          *filter;      /* NULL: no validators */
};


typedef struct {
    ngx_pool_t           *pool;
    ngx_str_t             name;        /* "index.collection" */
    ngx_array_t          *errors;
    kz_spec_t            *spec;
    ngx_array_t           fields;      /* of kz_spec_field_t * */
    kz_spec_field_t     **paths;       /* hash of them all by path */
    unsigned              wrong:1;     /* errors were added */
    unsigned              failed:1;    /* no memory */
} kz_spec_compiler_t;


struct kz_spec_msg_s {
    kz_spec_msg_t        *next;
    ngx_str_t             text;
};


/* One level of the document at hand: the last value of each field in it. */

typedef struct {
    uint64_t             *touched;     /* bits */
    kz_json_val_t        *vals;
} kz_spec_seen_t;


struct kz_spec_run_s {
    kz_spec_t            *spec;
    ngx_pool_t           *pool;
    int64_t               now;
    kz_spec_seen_t       *seen;        /* by number of the level */

    kz_spec_failure_t     failure;
    kz_spec_msg_t       **messages;    /* by number of the field; NULL: the
                                          first failure ends it */
    u_char               *marked;      /* by number: it, or one below */
    kz_spec_msg_t        *document;

    unsigned              failed:1;    /* no memory */
    unsigned              full:1;      /* filled beyond the limit */
};


/*
 * A type: reads its options (refusals through kz_spec_error()), tests a
 * value: 1, or 0 after kz_spec_say().
 */

struct kz_spec_type_s {
    const char           *name;
    const char           *options;     /* allowed: "range,formats" */
    void                (*read)(kz_spec_compiler_t *c, kz_spec_field_t *f,
                                const kz_json_val_t *options);
    ngx_uint_t          (*check)(kz_spec_run_t *run, kz_spec_field_t *f,
                                 const kz_json_val_t *v);
    ngx_uint_t            object;      /* may have fields of its own */
};


#define kz_spec_bit(bits, i)  ((bits)[(i) / 64] & ((uint64_t) 1 << ((i) % 64)))
#define kz_spec_set(bits, i)  ((bits)[(i) / 64] |= (uint64_t) 1 << ((i) % 64))

#define kz_spec_is(s, lit)                                                    \
    ((s)->len == sizeof(lit) - 1                                              \
     && ngx_memcmp((s)->data, lit, sizeof(lit) - 1) == 0)


static ngx_inline uint32_t
kz_spec_hash(const u_char *p, size_t len)
{
    uint32_t  h;

    for (h = 2166136261u; len; len--) {
        h = (h ^ *p++) * 16777619u;
    }

    return h;
}


/* kz_spec.c: adds a text of the table with n arguments (ngx_str_t *). */
void kz_spec_error(kz_spec_compiler_t *c, kz_error_e e, ngx_uint_t n, ...);

/*
 * "name.path.more" for messages; more may be NULL.  Points to an empty text
 * when there is no memory.
 */
ngx_str_t *kz_spec_place(kz_spec_compiler_t *c, const ngx_str_t *path,
    const char *more);

/* Whether an object has no members but those ("a,b,c"); refuses it if so. */
ngx_uint_t kz_spec_allowed(kz_spec_compiler_t *c, ngx_str_t *place,
    const kz_json_val_t *object, const char *names);

/* Refuses: "place" should be of a type. */
void kz_spec_wrong(kz_spec_compiler_t *c, ngx_str_t *place,
    const char *expected);

/* A decoded text; NGX_ERROR: no memory, remembered. */
ngx_int_t kz_spec_text(kz_spec_compiler_t *c, const kz_json_val_t *v,
    ngx_str_t *s);

/* kz_spec_type.c: NULL: no such type */
const kz_spec_type_t *kz_spec_type(const ngx_str_t *name);

/* kz_spec_options.c */
void kz_spec_read_range(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options);
void kz_spec_read_length(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options);
void kz_spec_read_date(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options);
void kz_spec_read_not_empty(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options);
void kz_spec_read_values(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options);
void kz_spec_read_shapes(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options);
void kz_spec_read_strict(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *options);
void kz_spec_read_multi(kz_spec_compiler_t *c, kz_spec_field_t *f,
    const kz_json_val_t *v);

/* kz_spec_check.c: a failure of a field, or (NULL) of the document. */
void kz_spec_say(kz_spec_run_t *run, kz_spec_field_t *f, const char *fmt,
    ...);

/* kz_spec_geo.c */
ngx_uint_t kz_spec_check_shape(kz_spec_run_t *run, kz_spec_field_t *f,
    const kz_json_val_t *v);
ngx_uint_t kz_spec_shape(const ngx_str_t *name);   /* its bit; 0: none */

#define KZ_SPEC_ALL_SHAPES  0x1ff

/*
 * kz_spec_date.c: the format of that name; NGX_DECLINED: no such.  A text in
 * one of the formats as epoch ms; NGX_DECLINED: in none of them.
 */
ngx_int_t kz_spec_date_format(const ngx_str_t *name,
    kz_spec_format_t *format);
ngx_int_t kz_spec_date(const kz_spec_format_t *format, const ngx_str_t *s,
    int64_t now, double *ms);

/* kz_spec_net.c: by the rules of validator.js */
ngx_uint_t kz_spec_email(const ngx_str_t *s);
ngx_uint_t kz_spec_ip(const u_char *p, size_t len);
ngx_uint_t kz_spec_url(const ngx_str_t *s);


#endif /* _KZ_SPEC_INT_H_INCLUDED_ */

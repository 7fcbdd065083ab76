#ifndef _KZ_MAPPING_NODE_H_INCLUDED_
#define _KZ_MAPPING_NODE_H_INCLUDED_

/*
 * Private to the pure files of the store: the tree behind a mapping and the
 * conversion of one JSON value to what is indexed.
 *
 *   root {dynamic, _meta}
 *    +- "name"   text
 *    |    +- (multi) "keyword"   keyword, ignore_above 256
 *    +- "address"   object
 *         +- "city"   keyword
 */

#include "store/kz_mapping.h"
#include "util/kz_geo.h"
#include "util/kz_word.h"


typedef struct {
    ngx_str_t            name;
    ngx_str_t            raw;        /* compact JSON */
} kz_mapping_param_t;


struct kz_mapping_node_s {
    ngx_str_t            name;       /* decoded */
    kz_field_type_e      type;
    kz_mapping_param_t  *params;     /* all but properties and fields */
    ngx_uint_t           nparams;
    kz_mapping_node_t   *parent;
    kz_mapping_node_t   *next;
    kz_mapping_node_t   *first;      /* properties, in order */
    kz_mapping_node_t   *last;
    kz_mapping_node_t   *multi;      /* fields, in order */
    kz_mapping_node_t  **table;      /* children by name */
    ngx_uint_t           mask;       /* of the table; 0: none yet */
    ngx_uint_t           n;          /* children */
    ngx_uint_t           slot;       /* place among its siblings */
    kz_dynamic_e         dynamic;    /* as written */
    kz_dynamic_e         rule;       /* the effective one */
    kz_field_t          *field;      /* a leaf's */
    ngx_array_t         *copy_to;    /* of kz_field_t *; or NULL */
    kz_json_val_t        value;      /* inference: the last one seen */
    unsigned             enabled:1;  /* no: below it nothing is looked at */
    unsigned             common:1;   /* _kuzzle_info and below */
    unsigned             props:1;    /* "properties" was written */
    unsigned             open:1;     /* inference: no type yet */
    unsigned             in_parent:1;    /* nested: include_in_parent, _root */
    unsigned             in_root:1;
};


#define kz_mapping_is_object(node)                                            \
    ((node)->type == KZ_FIELD_OBJECT || (node)->type == KZ_FIELD_NESTED)


/* Memory that grows and is used again and again: malloc's. */

typedef struct {
    u_char              *data;
    size_t               size;
} kz_scratch_t;


/* NULL: no memory.  What was there before is lost. */
u_char *kz_scratch_room(kz_scratch_t *s, size_t n);
void kz_scratch_free(kz_scratch_t *s);


/* kz_mapping_tree.c */

void kz_mapping_refuse(kz_mapping_err_t *err, kz_store_status_e status,
    const char *fmt, ...);
kz_mapping_node_t *kz_mapping_find(const kz_mapping_node_t *parent,
    const u_char *name, size_t len);

/* A child of that name, new or an old one emptied; NULL: no memory. */
kz_mapping_node_t *kz_mapping_add(ngx_pool_t *pool,
    kz_mapping_node_t *parent, const u_char *name, size_t len);

kz_mapping_param_t *kz_mapping_param(const kz_mapping_node_t *node,
    const char *name);

/* Sets or adds a parameter; raw is borrowed. */
ngx_int_t kz_mapping_set(ngx_pool_t *pool, kz_mapping_node_t *node,
    const ngx_str_t *name, const ngx_str_t *raw);

/* "a.b.c" of a node; dst has room for KZ_MAPPING_ERR_LEN, cut at that. */
ngx_str_t kz_mapping_path(const kz_mapping_node_t *node, u_char *dst);

/* kz_mapping.c: NGX_OK, or NGX_DECLINED when there is no such type. */
ngx_int_t kz_field_type(const ngx_str_t *name, kz_field_type_e *type);


/* kz_mapping_field.c: gives a tree its rules and its fields. */
ngx_int_t kz_mapping_finish(kz_mapping_t *m, kz_mapping_err_t *err);


/* kz_mapping_walk.c: a member's name, decoded; NGX_ERROR: no memory. */
ngx_int_t kz_walk_key(kz_scratch_t *scratch, const kz_json_member_t *member,
    ngx_str_t *name);


/* kz_mapping_copy.c: what copy_to says; after all fields are known. */
ngx_int_t kz_mapping_copies(kz_mapping_t *m, kz_mapping_err_t *err);


/* kz_mapping_text.c: m's tree once more, free to be changed. */
kz_mapping_t *kz_mapping_dup(const kz_mapping_t *m, kz_mapping_err_t *err);


/* kz_mapping_value.c */

/*
 * A JSON value as the field's type has it.  v->text lives in the input or in
 * the scratch.  A date given less precisely than in milliseconds stands for
 * a time span: v->i is its begin, *last (when not NULL) its end.
 *
 * NGX_OK; NGX_DECLINED: stands for no value; NGX_ERROR: not of that type;
 * NGX_ABORT: no memory.
 */
ngx_int_t kz_value_read(const kz_field_t *f, const kz_json_val_t *json,
    kz_scratch_t *scratch, kz_value_t *v, int64_t *last);

/* The decoded text of a string, or the written one of another scalar. */
ngx_int_t kz_value_text(const kz_json_val_t *json, kz_scratch_t *scratch,
    ngx_str_t *text);

/*
 * The points of a value: one, or an array of them in any notation.  Calls
 * visit() for each; what it returns other than NGX_OK ends the walk and is
 * returned.  NGX_DECLINED: something in it is not a point, and was left out.
 */
typedef ngx_int_t (*kz_value_point_pt)(void *ctx, const kz_geo_point_t *p);

ngx_int_t kz_value_points(const kz_field_t *f, const kz_json_val_t *json,
    kz_value_point_pt visit, void *ctx);

/* Of a point in the postings: latitude and longitude, bit by bit. */
int64_t kz_value_geo_key(const kz_geo_point_t *p);

/*
 * An address as it is in the postings, 32 hexadecimal digits, into dst; and
 * the way it is shown.  bits, when not NULL: "10.0.0.0/8" is allowed, and
 * its length (of 128) written there, -1 without one.
 */
#define KZ_IP_LEN   32
#define KZ_IP_TEXT  48

ngx_int_t kz_ip_read(const u_char *p, size_t len, u_char *dst,
    ngx_int_t *bits);
u_char *kz_ip_print(u_char *dst, const ngx_str_t *hex);

/* Whether an exact text is short enough for the field's ignore_above. */
ngx_uint_t kz_value_indexed(const kz_field_t *f, const ngx_str_t *text);

/* <0, 0, >0 in the order of the postings: numbers before text. */
ngx_int_t kz_value_cmp(const kz_value_t *a, const kz_value_t *b);

/* Texts by their bytes. */
ngx_int_t kz_text_cmp(const ngx_str_t *a, const ngx_str_t *b);

/* The words of a text, lower-cased, one after the other. */

typedef struct {
    kz_word_iter_t       it;
    ngx_str_t            word;      /* in buf */
    u_char               buf[KZ_LOWER_ROOM(KZ_WORD_MAX_CHARS * 4)];
} kz_words_t;

void kz_words_init(kz_words_t *w, const ngx_str_t *text);
ngx_int_t kz_words_next(kz_words_t *w);     /* NGX_OK, NGX_DONE */


/* kz_mapping_date.c */

/*
 * A date as text; formats: NULL for the default ones.  NGX_OK with the begin
 * and the end (both included) of the span it names; NGX_ERROR: not a date.
 */
ngx_int_t kz_date_parse(const ngx_array_t *formats, const u_char *p,
    size_t len, int64_t *first, int64_t *last);

/* Whether text of this look makes dynamic "true" infer a date. */
ngx_uint_t kz_date_looks(const u_char *p, size_t len);

/* Splits "a||b"; NGX_DECLINED: one of them is not known here. */
ngx_int_t kz_date_formats(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_array_t **formats);


#endif /* _KZ_MAPPING_NODE_H_INCLUDED_ */

#ifndef _KZ_CHANGE_H_INCLUDED_
#define _KZ_CHANGE_H_INCLUDED_

/*
 * What happened to a document (or: a published message), as it travels over
 * the bus from where it was written to every worker's rooms.  Old and new
 * version travel together, so that leaving a scope needs no memory of what
 * matched before.
 */

#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    KZ_CHANGE_CREATE = 1,
    KZ_CHANGE_REPLACE,
    KZ_CHANGE_UPDATE,
    KZ_CHANGE_DELETE,
    KZ_CHANGE_PUBLISH
} kz_change_kind_e;


#define KZ_CHANGE_STRINGS  12

typedef struct {
    uint64_t     file;          /* the index file, and its commit number: */
    uint64_t     seq;           /* what a new writer compares */
    uint64_t     version;       /* of the document */
    int64_t      timestamp;     /* of the request, epoch ms */
    uint32_t     kind;
    uint32_t     flags;

    ngx_str_t    index;
    ngx_str_t    collection;
    ngx_str_t    id;
    ngx_str_t    old_source;    /* JSON text; empty: there was none */
    ngx_str_t    new_source;    /* empty: deleted */
    ngx_str_t    changes;       /* update: the body that was merged */
    ngx_str_t    request_id;
    ngx_str_t    volatile_;     /* JSON text; empty: null */
    ngx_str_t    controller;    /* as asked */
    ngx_str_t    action;
    ngx_str_t    protocol;      /* of the writer: "http", "websocket" */
    ngx_str_t    user;          /* kuid */
} kz_change_t;


size_t kz_change_len(const kz_change_t *c);

/* dst has room for kz_change_len(c); returns the end. */
u_char *kz_change_write(u_char *dst, const kz_change_t *c);

/* The strings are slices of p.  NGX_ERROR: not a change. */
ngx_int_t kz_change_read(kz_change_t *c, u_char *p, size_t len);


#endif /* _KZ_CHANGE_H_INCLUDED_ */

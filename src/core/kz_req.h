#ifndef _KZ_REQ_H_INCLUDED_
#define _KZ_REQ_H_INCLUDED_

/*
 * One query on its way: what was asked (slices of the bytes it came in),
 * where it stands (the named next step), what will be answered (a neutral
 * result, rendered in a dialect at the very end).
 *
 * A request has its own pool: it may outlive the client that asked.
 *
 * Steps: an action, or a step, returns
 *
 *     NGX_OK     the reply is ready, or req->step names what runs next
 *     NGX_AGAIN  parked: exactly one completion will call kz_req_resume()
 *     NGX_ERROR  stop; the reply holds the error (kz_fail), or becomes a 500
 *
 * kz_req_resume() is the only place that runs steps.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_client.h"
#include "core/kz_error.h"
#include "util/kz_json_scan.h"
#include "util/kz_out.h"


typedef struct kz_action_s    kz_action_t;
typedef struct kz_store_op_s  kz_store_op_t;

typedef ngx_int_t (*kz_step_pt)(kz_req_t *req);


#define KZ_REQ_MAX_ARGS   64
#define KZ_FAIL_MAX_ARGS  4


/* An argument beside the envelope's own members. */

typedef struct {
    ngx_str_t        name;         /* decoded */
    kz_json_val_t    val;          /* from JSON; NONE: from a URL */
    ngx_str_t        text;         /* from a URL: decoded text */
} kz_arg_t;


/* Neutral results; how each is rendered per dialect: api/kz_dialect.c */

typedef enum {
    KZ_RESULT_NULL = 0,        /* "result": null */
    KZ_RESULT_ABSENT,          /* 2.x: no member; 1.x: null */
    KZ_RESULT_JSON,            /* the same JSON text in both: result.json */
    KZ_RESULT_RAW,             /* result.json is the whole reply, without
                                  an envelope, of type raw_type */
    KZ_RESULT_INDEX_CREATED,
    KZ_RESULT_MAPPING,         /* op->mapping */
    KZ_RESULT_CREATED,         /* document:create; op->doc */
    KZ_RESULT_WRITTEN,         /* createOrReplace, replace */
    KZ_RESULT_UPDATED,
    KZ_RESULT_DELETED,
    KZ_RESULT_GOT,             /* document:get */
    KZ_RESULT_COUNT,           /* op->total */
    KZ_RESULT_HITS,            /* document:search */
    KZ_RESULT_USER,            /* auth:getCurrentUser */
    KZ_RESULT_LEFT,             /* realtime:unsubscribe; result.json: the room
                                  id as a JSON string */
    KZ_RESULT_MULTI,           /* document:m*, bulk:mWrite; ctx: kz_multi_t */
    KZ_RESULT_ERASED,          /* mDelete, deleteByQuery */
    KZ_RESULT_FETCHED,         /* mGet */
    KZ_RESULT_PRESENT,         /* mExists */
    KZ_RESULT_IMPORTED,        /* bulk:import */
    KZ_RESULT_UPSERTED,        /* upsert, deleteFields */
    KZ_RESULT_QUERIED          /* updateByQuery */
} kz_result_e;


typedef struct {
    kz_result_e      type;
    ngx_str_t        json;
} kz_result_t;


/* A header of the response; only HTTP sends them, others show them. */

typedef struct {
    ngx_str_t        name;
    ngx_str_t        value;
} kz_header_t;


struct kz_req_s {
    ngx_pool_t       *pool;
    kz_client_t      *client;      /* NULL once it has gone */
    const kz_proto_t *proto;
    kz_loc_conf_t    *conf;
    ngx_log_t        *log;
    ngx_queue_t       queue;       /* in client->requests */

    const kz_action_t *action;
    kz_step_pt        step;
    kz_store_op_t    *op;          /* the one pending, or last, operation */
    void             *ctx;         /* the action's own */
    void             *proto_ctx;   /* the protocol's own */

    /* the envelope, decoded; data == NULL: absent (or null) */
    ngx_str_t         controller;
    ngx_str_t         action_name;
    ngx_str_t         index;
    ngx_str_t         collection;
    ngx_str_t         id;
    ngx_str_t         request_id;
    ngx_str_t         odd_id;      /* requestId as it came, no string */
    ngx_str_t         jwt;
    kz_json_val_t     volatile_;   /* NONE, or an object, compact */
    kz_json_val_t     body;        /* NONE, object or array, compact */

    kz_arg_t         *args;        /* the rest, last wins */
    ngx_uint_t        nargs;
    ngx_uint_t        max_args;    /* there is room for */

    kz_dialect_e      dialect;     /* 1 or 2 once routing has begun */
    int64_t           timestamp;   /* epoch, ms */
    ngx_msec_t        started;     /* ngx_current_msec */
    ngx_uint_t        stat;        /* of its protocol: core/kz_stat.h */
    ngx_str_t         user;        /* kuid, "-1" for anonymous */

    /* the reply */
    ngx_uint_t        status;
    kz_result_t       result;
    kz_error_e        error;       /* meaningful when failed */
    ngx_str_t         fail_args[KZ_FAIL_MAX_ARGS];
    ngx_uint_t        nfail_args;
    ngx_str_t         fail_text;   /* KZ_E_NONE: the message itself */
    ngx_str_t         errors;      /* of the error: JSON array, one for each */
    ngx_uint_t        nerrors;     /* entry; 0: it has no such member */
    ngx_str_t         raw_type;    /* its Content-Type; empty: JSON */
    ngx_array_t      *headers;     /* of kz_header_t; NULL: none */

    unsigned          failed:1;
    unsigned          partial:1;   /* failed, with a result beside it */
    unsigned          parked:1;
    unsigned          running:1;
    unsigned          from_url:1;  /* arguments came from a query string */
    unsigned          bare:1;      /* reply the bare error, no envelope */
    unsigned          reduced:1;   /* no query by its shape: no envelope (1),
                                      no room (2) */
    unsigned          legacy:1;    /* a query of before 1.0 */
    unsigned          odd:3;       /* 2.x: these came, but are no strings */
#define KZ_ODD_INDEX       0x01
#define KZ_ODD_COLLECTION  0x02
#define KZ_ODD_ID          0x04
};


/*
 * A new request of a client, in a pool of its own; counted in the client.
 * NULL: no memory.
 */
kz_req_t *kz_req_create(kz_client_t *c);

/* Frees a request that was never run. */
void kz_req_discard(kz_req_t *req);

/* Runs steps until the request parks, or replies and frees it. */
void kz_req_resume(kz_req_t *req);

/*
 * Refuses: fills in the reply, n string arguments (ngx_str_t *, copied by
 * reference) for the message; returns NGX_ERROR.
 */
ngx_int_t kz_fail(kz_req_t *req, kz_error_e e, ngx_uint_t n, ...);

/*
 * Answers an error beside the result, with this status: some of it failed.
 * As kz_fail(), but returns NGX_OK: the reply is ready when the result is.
 * It counts as a completed query.
 */
ngx_int_t kz_fail_partly(kz_req_t *req, kz_error_e e, ngx_uint_t status,
    ngx_str_t *arg);

/* Whether the reply has a result. */
#define kz_req_has_result(req)  (!(req)->failed || (req)->partial)

/*
 * Refuses with a status and a text that has neither id nor code; of a longer
 * one only the first KB is told.
 */
ngx_int_t kz_fail_text(kz_req_t *req, ngx_uint_t status, const char *fmt,
    ...);

/*
 * The result of a request whose reply is ready: JSON text, in both
 * generations the same, or true or false.  Return NGX_OK, or NGX_ERROR when
 * the text could not be put together.
 */
ngx_int_t kz_result_json(kz_req_t *req, kz_out_t *o);
ngx_int_t kz_result_bool(kz_req_t *req, ngx_uint_t yes);

/* The words of a JSON error, for a message; in the request's pool. */
ngx_str_t *kz_req_json_error(kz_req_t *req, const kz_json_err_t *err);

/*
 * A new, empty argument at the end of the list.  NULL: no memory, or there
 * are KZ_REQ_MAX_ARGS.
 */
kz_arg_t *kz_req_arg_push(kz_req_t *req);

/* The argument of that name (not one of the envelope's), or NULL. */
kz_arg_t *kz_req_arg(kz_req_t *req, const char *name, size_t len);

/*
 * Sets a header of the response, in place of one of that name; of Set-Cookie
 * there may be many.  Both are copied.  NGX_ERROR: no memory, not a header
 * (RFC 9110, 5.1 and 5.5), or one that is the protocol's own business
 * (length, coding, type: that is raw_type).
 */
ngx_int_t kz_req_header(kz_req_t *req, const ngx_str_t *name,
    const ngx_str_t *value);

/* Whether it is one that is sent, and not shown: Set-Cookie. */
ngx_uint_t kz_req_header_hidden(const kz_header_t *h);

/* Makes a request id when none was given.  NGX_ERROR: no memory. */
ngx_int_t kz_req_name(kz_req_t *req);

/* A uuid v4 as 36 characters of text. */
void kz_uuid(u_char *dst);


#endif /* _KZ_REQ_H_INCLUDED_ */

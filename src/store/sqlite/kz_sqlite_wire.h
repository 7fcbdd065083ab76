#ifndef _KZ_SQLITE_WIRE_H_INCLUDED_
#define _KZ_SQLITE_WIRE_H_INCLUDED_

/*
 * What workers and the writer process say to each other, over a unix stream
 * socket.  Pure: bytes in, structs out.
 *
 *     frame    length of the payload (32 bits), type (32 bits), payload
 *
 *     worker  -> writer   HELLO once, then OP, OP, ...
 *     writer  -> worker   WELCOME, RESULT, ..., LEAVING before it goes
 *     writers             TAKEOVER (let me have it), STANDBY (I wait)
 *
 * Both ends run on one host, in processes of one program: integers are as
 * the machine has them, and HELLO carries a version because a binary upgrade
 * lets two of them meet.  Operations of a connection come in the order of
 * their sequence numbers.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define KZ_WIRE_VERSION     3
#define KZ_WIRE_HEAD        8                      /* length and type */
#define KZ_WIRE_FRAME_MAX   (256 * 1024 * 1024)    /* payload */

#define KZ_WIRE_NAME_MAX    512                    /* index, collection */
#define KZ_WIRE_ID_MAX      1024
#define KZ_WIRE_WORD_MAX    1024                   /* action, protocol, ... */


typedef enum {
    KZ_WIRE_HELLO = 1,
    KZ_WIRE_OP,
    KZ_WIRE_RESULT,
    KZ_WIRE_TAKEOVER,
    KZ_WIRE_STANDBY,
    KZ_WIRE_LEAVING,
    KZ_WIRE_WELCOME,
    KZ_WIRE_MAX
} kz_wire_type_e;


typedef struct {
    kz_wire_type_e   type;
    u_char          *payload;
    size_t           len;
    size_t           total;        /* of the frame: what to skip */
} kz_wire_frame_t;


typedef struct {
    uint32_t         version;      /* KZ_WIRE_VERSION */
    uint32_t         pid;          /* of the worker */
    uint64_t         session;      /* random, never 0 */
} kz_wire_hello_t;


#define KZ_WIRE_RETRY       0x01   /* may have been applied before */
#define KZ_WIRE_SILENT      0x02   /* no notification */
#define KZ_WIRE_RAW         0x04   /* _kuzzle_info stays as the body has it */
#define KZ_WIRE_BRIEF       0x08   /* of items: results without sources */
#define KZ_WIRE_ITEM        0x10   /* one of several: never on the wire */

#define KZ_WIRE_FLAG        0x20   /* kz_store_op_t.flag */

#define KZ_WIRE_OP_STRINGS  11

typedef struct {
    uint64_t         seq;          /* within the session, from 1 */
    uint64_t         acked;        /* all up to this one were answered */
    int64_t          deadline;     /* CLOCK_MONOTONIC, ms */
    int64_t          timestamp;    /* of the request, epoch ms */
    uint64_t         if_version;   /* 0: any; of COLLECTION_INFER: cursor */
    uint32_t         kind;         /* kz_store_kind_e */
    uint32_t         dialect;
    uint32_t         flags;

    ngx_str_t        index;
    ngx_str_t        collection;
    ngx_str_t        id;
    ngx_str_t        body;
    ngx_str_t        request_id;
    ngx_str_t        volatile_;
    ngx_str_t        controller;
    ngx_str_t        action;
    ngx_str_t        protocol;
    ngx_str_t        user;
    ngx_str_t        settings;
} kz_wire_op_t;


#define KZ_WIRE_CREATED     0x01
#define KZ_WIRE_INFO        0x02   /* the source ends with _kuzzle_info */
#define KZ_WIRE_DERIVED     0x04   /* stored without what the operation
                                      gives: never on the wire */

#define KZ_WIRE_RESULT_STRINGS  4

typedef struct {
    uint64_t         seq;
    uint64_t         version;
    uint32_t         status;       /* kz_store_status_e */
    uint32_t         flags;

    ngx_str_t        detail;
    ngx_str_t        id;
    ngx_str_t        source;
    ngx_str_t        changes;
} kz_wire_result_t;


/*
 * Many documents: the items of an operation are in its body, their results
 * in the result's source, one behind the other.
 */

#define KZ_WIRE_PLAIN       0x01   /* kz_store_item_t.plain */

#define KZ_WIRE_ITEM_STRINGS  3

typedef struct {
    uint32_t         kind;
    uint32_t         flags;

    ngx_str_t        id;
    ngx_str_t        body;
    ngx_str_t        fallback;
} kz_wire_item_t;


#define KZ_WIRE_DONE_STRINGS  3

typedef struct {
    uint64_t         version;
    uint32_t         status;
    uint32_t         flags;

    ngx_str_t        detail;
    ngx_str_t        id;
    ngx_str_t        source;
} kz_wire_item_done_t;


typedef struct {
    uint64_t         last;         /* operations after it were not read */
} kz_wire_leaving_t;


/* TAKEOVER, WELCOME: which bus the writer announces changes on. */

typedef struct {
    uint64_t         bus;
} kz_wire_bus_t;


/*
 * The frame at the start of the bytes.  NGX_OK; NGX_AGAIN: not all of it is
 * there yet; NGX_ERROR: an unknown type, or too long.
 */
ngx_int_t kz_wire_frame(u_char *p, size_t len, kz_wire_frame_t *f);

/*
 * Writers: dst has room for what the _len() function says, whole frame
 * included; they return its end.
 */
size_t kz_wire_op_len(const kz_wire_op_t *op);
u_char *kz_wire_op_write(u_char *dst, const kz_wire_op_t *op);

/* Changes a written operation just before it is sent. */
void kz_wire_op_stamp(u_char *frame, uint64_t acked, ngx_uint_t retry);

size_t kz_wire_result_len(const kz_wire_result_t *r);
u_char *kz_wire_result_write(u_char *dst, const kz_wire_result_t *r);

/* The same for one item, without a frame: kz_sqlite_wire_items.c */
size_t kz_wire_item_len(const kz_wire_item_t *item);
u_char *kz_wire_item_write(u_char *dst, const kz_wire_item_t *item);
size_t kz_wire_item_done_len(const kz_wire_item_done_t *r);
u_char *kz_wire_item_done_write(u_char *dst, const kz_wire_item_done_t *r);

/*
 * The item at *p, which moves behind it.  NGX_DONE: *p is the end;
 * NGX_ERROR: that is no item.
 */
ngx_int_t kz_wire_item_read(kz_wire_item_t *item, u_char **p, u_char *end);
ngx_int_t kz_wire_item_done_read(kz_wire_item_done_t *r, u_char **p,
    u_char *end);

#define KZ_WIRE_HELLO_LEN    (KZ_WIRE_HEAD + sizeof(kz_wire_hello_t))
#define KZ_WIRE_LEAVING_LEN  (KZ_WIRE_HEAD + sizeof(kz_wire_leaving_t))
#define KZ_WIRE_BUS_LEN      (KZ_WIRE_HEAD + sizeof(kz_wire_bus_t))

u_char *kz_wire_hello_write(u_char *dst, const kz_wire_hello_t *h);
u_char *kz_wire_leaving_write(u_char *dst, const kz_wire_leaving_t *l);

/* TAKEOVER or WELCOME. */
u_char *kz_wire_bus_write(u_char *dst, kz_wire_type_e type, uint64_t bus);

/* A frame without payload: STANDBY. */
u_char *kz_wire_word_write(u_char *dst, kz_wire_type_e type);

/*
 * Readers, of a frame's payload; strings are slices of it.  NGX_ERROR: it is
 * not what it says to be, or a string is longer than its bound.
 */
ngx_int_t kz_wire_op_read(kz_wire_op_t *op, u_char *p, size_t len);
ngx_int_t kz_wire_result_read(kz_wire_result_t *r, u_char *p, size_t len);
ngx_int_t kz_wire_hello_read(kz_wire_hello_t *h, u_char *p, size_t len);
ngx_int_t kz_wire_bus_read(uint64_t *bus, u_char *p, size_t len);
ngx_int_t kz_wire_leaving_read(kz_wire_leaving_t *l, u_char *p, size_t len);


#endif /* _KZ_SQLITE_WIRE_H_INCLUDED_ */

/*
 * Notifications as text, in both generations, assembled from slices: the
 * sources are spliced in as they were stored.
 *
 * A user notification travels as a change, too: KZ_CHANGE_CREATE when
 * somebody entered, KZ_CHANGE_DELETE when somebody left, id is the room,
 * version the count.
 *
 * All of them end open, after the comma: the channel differs, the rest does
 * not.  Kuzzle: keys are in the order its own servers write them in.
 */

#include "realtime/kz_realtime.h"
#include "realtime/kz_room.h"
#include "util/kz_json_scan.h"


#define KZ_INFO            "_kuzzle_info"
#define KZ_INFO_LIVE       "\"active\":true,\"deletedAt\":null}"

#define KZ_UPDATED_DEPTH   64       /* of paths, what is below counts as leaf */
#define KZ_UPDATED_FREE    16384    /* bytes of paths ... */
#define KZ_UPDATED_RATIO   4        /* ... plus so many times the changes */


typedef struct kz_notify_path_s  kz_notify_path_t;

struct kz_notify_path_s {
    kz_notify_path_t  *up;
    ngx_str_t          key;
};


static void kz_notify_action1(kz_out_t *o, kz_change_t *c);
static void kz_notify_result1(kz_out_t *o, kz_change_t *c, ngx_uint_t scope);
static void kz_notify_result2(kz_out_t *o, kz_change_t *c, ngx_uint_t scope);
static void kz_notify_meta1(kz_out_t *o, kz_json_val_t *info,
    ngx_str_t *tail);
static void kz_notify_source1(kz_out_t *o, ngx_str_t *source,
    kz_json_val_t *info);
static void kz_notify_info(ngx_str_t *source, kz_json_val_t *info);
static void kz_notify_leaves(kz_out_t *o, kz_json_val_t *object,
    kz_notify_path_t *up, ngx_uint_t depth, size_t limit, ngx_uint_t *n);
static void kz_notify_path(kz_out_t *o, kz_notify_path_t *path);
static void kz_notify_string(kz_out_t *o, ngx_str_t *s);
static void kz_notify_json(kz_out_t *o, ngx_str_t *s);


static const char  *kz_notify_kinds[] = {
    "", "create", "replace", "update", "delete", "publish"
};


#define kz_notify_text(o, s)  kz_out_bytes(o, s, ngx_strlen(s))


void
kz_notify_document1(kz_out_t *o, kz_change_t *c, ngx_uint_t scope)
{
    kz_out_lit(o, "{\"status\":200,\"requestId\":");
    kz_notify_string(o, &c->request_id);
    kz_out_lit(o, ",\"timestamp\":");
    kz_out_int(o, c->timestamp);
    kz_out_lit(o, ",\"volatile\":");
    kz_notify_json(o, &c->volatile_);
    kz_out_lit(o, ",\"index\":");
    kz_out_json_str(o, &c->index);
    kz_out_lit(o, ",\"collection\":");
    kz_out_json_str(o, &c->collection);
    kz_out_lit(o, ",\"controller\":");
    kz_out_json_str(o, &c->controller);
    kz_out_lit(o, ",\"action\":");
    kz_notify_action1(o, c);
    kz_out_lit(o, ",\"protocol\":");
    kz_notify_string(o, &c->protocol);

    if (scope == KZ_SCOPE_IN) {
        kz_out_lit(o, ",\"scope\":\"in\",\"state\":\"done\",\"result\":");

    } else {
        kz_out_lit(o, ",\"scope\":\"out\",\"state\":\"done\",\"result\":");
    }

    kz_notify_result1(o, c, scope);
    kz_out_lit(o, ",\"type\":\"document\",");
}


/*
 * Kuzzle: 1.x names what was asked for in multi-document writes (mUpdate),
 * but for documents that were created and deleted.
 */

static void
kz_notify_action1(kz_out_t *o, kz_change_t *c)
{
    ngx_str_t  *s;

    s = &c->action;

    if ((c->kind == KZ_CHANGE_REPLACE || c->kind == KZ_CHANGE_UPDATE)
        && s->len > 1 && s->data[0] == 'm'
        && s->data[1] >= 'A' && s->data[1] <= 'Z')
    {
        kz_out_json_str(o, s);
        return;
    }

    kz_out_char(o, '"');
    kz_notify_text(o, kz_notify_kinds[c->kind]);
    kz_out_char(o, '"');
}


static void
kz_notify_result1(kz_out_t *o, kz_change_t *c, ngx_uint_t scope)
{
    u_char         buf[sizeof("\"active\":false,\"deletedAt\":}")
                       + NGX_INT64_LEN];
    ngx_str_t      tail;
    kz_json_val_t  info;

    static ngx_str_t  live = ngx_string(KZ_INFO_LIVE);

    kz_out_char(o, '{');

    switch (c->kind) {

    case KZ_CHANGE_PUBLISH:

        kz_out_lit(o, "\"_source\":");
        kz_out_str(o, &c->new_source);
        kz_out_char(o, ',');
        break;

    case KZ_CHANGE_DELETE:

        tail.data = buf;
        tail.len = ngx_sprintf(buf, "\"active\":false,\"deletedAt\":%L}",
                               c->timestamp)
                   - buf;

        kz_notify_info(&c->old_source, &info);
        kz_notify_meta1(o, &info, &tail);
        break;

    default:

        if (scope != KZ_SCOPE_IN) {
            break;
        }

        kz_notify_info(&c->new_source, &info);

        if (info.type == KZ_JSON_OBJECT) {
            kz_notify_meta1(o, &info, &live);

        } else {
            kz_out_lit(o, "\"_meta\":{},");
        }

        if (c->kind == KZ_CHANGE_UPDATE) {
            kz_out_lit(o, "\"_id\":");
            kz_notify_string(o, &c->id);
            kz_out_lit(o, ",\"_source\":");
            kz_notify_source1(o, &c->new_source, &info);

            if (c->changes.len) {
                kz_realtime_updated(o, &c->changes, 0);
            }

            kz_out_char(o, '}');
            return;
        }

        kz_out_lit(o, "\"_source\":");
        kz_notify_source1(o, &c->new_source, &info);
        kz_out_char(o, ',');
        break;
    }

    kz_out_lit(o, "\"_id\":");
    kz_notify_string(o, &c->id);
    kz_out_char(o, '}');
}


/* "_meta": what is known of the document, with what 1.x adds to it. */

static void
kz_notify_meta1(kz_out_t *o, kz_json_val_t *info, ngx_str_t *tail)
{
    kz_out_lit(o, "\"_meta\":{");

    if (info->type == KZ_JSON_OBJECT && info->raw.len > 2) {
        kz_out_bytes(o, info->raw.data + 1, info->raw.len - 2);
        kz_out_char(o, ',');
    }

    kz_out_str(o, tail);
    kz_out_char(o, ',');
}


/* The source, with the same members added to its _kuzzle_info. */

static void
kz_notify_source1(kz_out_t *o, ngx_str_t *source, kz_json_val_t *info)
{
    u_char  *p, *end;

    if (info->type != KZ_JSON_OBJECT) {
        kz_out_str(o, source);
        return;
    }

    p = info->raw.data + info->raw.len - 1;
    end = source->data + source->len;

    kz_out_bytes(o, source->data, p - source->data);

    if (info->raw.len > 2) {
        kz_out_char(o, ',');
    }

    kz_out_lit(o, KZ_INFO_LIVE);
    kz_out_bytes(o, p + 1, end - (p + 1));
}


static void
kz_notify_info(ngx_str_t *source, kz_json_val_t *info)
{
    kz_json_val_t  doc;

    info->type = KZ_JSON_NONE;

    if (source->len == 0) {
        return;
    }

    kz_json_value(source->data, source->data + source->len, &doc);

    if (doc.type != KZ_JSON_OBJECT
        || kz_json_get(&doc, KZ_INFO, sizeof(KZ_INFO) - 1, info) != NGX_OK)
    {
        info->type = KZ_JSON_NONE;
    }
}


void
kz_notify_document2(kz_out_t *o, kz_change_t *c, ngx_uint_t scope,
    ngx_str_t *node)
{
    kz_out_lit(o, "{\"type\":\"document\",\"status\":200,\"action\":\"");
    kz_notify_text(o, kz_notify_kinds[c->kind]);

    if (scope == KZ_SCOPE_IN) {
        kz_out_lit(o, "\",\"scope\":\"in\",\"result\":");

    } else {
        kz_out_lit(o, "\",\"scope\":\"out\",\"result\":");
    }

    kz_notify_result2(o, c, scope);

    if (node->len) {
        kz_out_lit(o, ",\"node\":");
        kz_out_json_str(o, node);
    }

    switch (c->kind) {

    case KZ_CHANGE_DELETE:
        kz_out_lit(o, ",\"event\":\"delete\",\"requestId\":");
        break;

    case KZ_CHANGE_PUBLISH:
        kz_out_lit(o, ",\"event\":\"publish\",\"requestId\":");
        break;

    default:
        kz_out_lit(o, ",\"event\":\"write\",\"requestId\":");
        break;
    }

    kz_notify_string(o, &c->request_id);
    kz_out_lit(o, ",\"timestamp\":");
    kz_out_int(o, c->timestamp);
    kz_out_lit(o, ",\"volatile\":");
    kz_notify_json(o, &c->volatile_);
    kz_out_lit(o, ",\"index\":");
    kz_out_json_str(o, &c->index);
    kz_out_lit(o, ",\"collection\":");
    kz_out_json_str(o, &c->collection);
    kz_out_lit(o, ",\"controller\":");
    kz_out_json_str(o, &c->controller);
    kz_out_lit(o, ",\"protocol\":");
    kz_notify_string(o, &c->protocol);
    kz_out_char(o, ',');
}


static void
kz_notify_result2(kz_out_t *o, kz_change_t *c, ngx_uint_t scope)
{
    kz_out_char(o, '{');

    /* a published message need not have an id */

    if (c->id.len) {
        kz_out_lit(o, "\"_id\":");
        kz_out_json_str(o, &c->id);
        kz_out_char(o, ',');
    }

    kz_out_lit(o, "\"_source\":");
    kz_notify_json(o, c->kind == KZ_CHANGE_DELETE ? &c->old_source
                                                  : &c->new_source);

    if (c->kind == KZ_CHANGE_CREATE && scope == KZ_SCOPE_IN) {
        kz_out_lit(o, ",\"_version\":");
        kz_out_int(o, (int64_t) c->version);
    }

    /* Kuzzle: what was removed is not told */

    if (c->kind == KZ_CHANGE_UPDATE && scope == KZ_SCOPE_IN
        && c->changes.len)
    {
        kz_realtime_updated(o, &c->changes, 1);
    }

    kz_out_char(o, '}');
}


/*
 * ,"_updatedFields":[...]: the root keys of what was changed, or the dotted
 * paths of its leaves (an array is one, an empty object has none).
 */

void
kz_realtime_updated(kz_out_t *o, ngx_str_t *changes, ngx_uint_t leaves)
{
    size_t         start, limit;
    ngx_uint_t     n;
    kz_json_val_t  v;

    kz_out_lit(o, ",\"_updatedFields\":[");

    start = kz_out_len(o);
    limit = start + KZ_UPDATED_FREE + KZ_UPDATED_RATIO * changes->len;

    if (changes->len) {
        kz_json_value(changes->data, changes->data + changes->len, &v);

        if (v.type == KZ_JSON_OBJECT) {
            n = 0;
            kz_notify_leaves(o, &v, NULL, leaves ? KZ_UPDATED_DEPTH : 0,
                             limit, &n);

            if (kz_out_len(o) > limit) {

                /*
                 * Every leaf repeats its whole path: long keys above many
                 * leaves would make gigabytes of a small update.
                 */

                n = 0;
                o->pos = o->start + start;
                kz_notify_leaves(o, &v, NULL, 0, (size_t) -1, &n);
            }
        }
    }

    kz_out_char(o, ']');
}


static void
kz_notify_leaves(kz_out_t *o, kz_json_val_t *object, kz_notify_path_t *up,
    ngx_uint_t depth, size_t limit, ngx_uint_t *n)
{
    kz_json_iter_t     it;
    kz_json_member_t   m;
    kz_notify_path_t   path;

    path.up = up;

    kz_json_iter(&it, object);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (up == NULL
            && kz_json_key_is(&m, KZ_INFO, sizeof(KZ_INFO) - 1) == NGX_OK)
        {
            continue;
        }

        if (kz_out_len(o) > limit || kz_out_failed(o)) {
            return;
        }

        path.key = m.key;

        if (m.val.type == KZ_JSON_OBJECT && depth) {
            kz_notify_leaves(o, &m.val, &path, depth - 1, limit, n);
            continue;
        }

        if ((*n)++) {
            kz_out_char(o, ',');
        }

        kz_out_char(o, '"');
        kz_notify_path(o, &path);
        kz_out_char(o, '"');
    }
}


/* The keys are the insides of JSON strings already. */

static void
kz_notify_path(kz_out_t *o, kz_notify_path_t *path)
{
    if (path->up) {
        kz_notify_path(o, path->up);
        kz_out_char(o, '.');
    }

    kz_out_bytes(o, path->key.data, path->key.len);
}


void
kz_notify_user1(kz_out_t *o, kz_change_t *c)
{
    kz_out_lit(o, "{\"status\":200,\"timestamp\":");
    kz_out_int(o, c->timestamp);
    kz_out_lit(o, ",\"volatile\":");
    kz_notify_json(o, &c->volatile_);
    kz_out_lit(o, ",\"index\":");
    kz_out_json_str(o, &c->index);
    kz_out_lit(o, ",\"collection\":");
    kz_out_json_str(o, &c->collection);

    if (c->kind == KZ_CHANGE_CREATE) {
        kz_out_lit(o, ",\"controller\":\"realtime\",\"action\":\"subscribe\","
                      "\"protocol\":");
        kz_notify_string(o, &c->protocol);
        kz_out_lit(o, ",\"user\":\"in\",\"result\":{\"count\":");

    } else {
        kz_out_lit(o, ",\"controller\":\"realtime\","
                      "\"action\":\"unsubscribe\",\"protocol\":");
        kz_notify_string(o, &c->protocol);
        kz_out_lit(o, ",\"user\":\"out\",\"result\":{\"count\":");
    }

    kz_out_int(o, (int64_t) c->version);
    kz_out_lit(o, "},\"type\":\"user\",");
}


void
kz_notify_user2(kz_out_t *o, kz_change_t *c, ngx_str_t *node)
{
    if (c->kind == KZ_CHANGE_CREATE) {
        kz_out_lit(o, "{\"type\":\"user\",\"status\":200,\"user\":\"in\","
                      "\"result\":{\"count\":");

    } else {
        kz_out_lit(o, "{\"type\":\"user\",\"status\":200,\"user\":\"out\","
                      "\"result\":{\"count\":");
    }

    kz_out_int(o, (int64_t) c->version);
    kz_out_char(o, '}');

    if (node->len) {
        kz_out_lit(o, ",\"node\":");
        kz_out_json_str(o, node);
    }

    kz_out_lit(o, ",\"timestamp\":");
    kz_out_int(o, c->timestamp);
    kz_out_lit(o, ",\"volatile\":");
    kz_notify_json(o, &c->volatile_);
    kz_out_lit(o, ",\"index\":");
    kz_out_json_str(o, &c->index);
    kz_out_lit(o, ",\"collection\":");
    kz_out_json_str(o, &c->collection);

    if (c->kind == KZ_CHANGE_CREATE) {
        kz_out_lit(o, ",\"controller\":\"realtime\",\"action\":\"subscribe\","
                      "\"protocol\":");
        kz_notify_string(o, &c->protocol);
        kz_out_char(o, ',');

    } else {
        kz_out_lit(o, ",\"controller\":\"realtime\","
                      "\"action\":\"unsubscribe\",\"protocol\":null,");
    }
}


static void
kz_notify_string(kz_out_t *o, ngx_str_t *s)
{
    if (s->len) {
        kz_out_json_str(o, s);

    } else {
        kz_out_lit(o, "null");
    }
}


static void
kz_notify_json(kz_out_t *o, ngx_str_t *s)
{
    if (s->len) {
        kz_out_str(o, s);

    } else {
        kz_out_lit(o, "null");
    }
}

/*
 * The errors users can see, one entry each:
 *
 *     KZ_ERROR(name, id, code, status, message 1.x, message 2.x)
 *
 * A NULL 2.x message is the same as the 1.x one; "%s" stands for the next
 * argument.  Ids, codes and statuses are Kuzzle's and part of its API; the
 * last block is our own.  t/101-errors.t compares this list with t/data.
 * A table, hence its length.
 */

KZ_ERROR(FATAL_UNEXPECTED_ERROR,
    "core.fatal.unexpected_error", 1, 500,
      "Caught an unexpected error: %s.",
      NULL)

KZ_ERROR(FATAL_SERVICE_UNAVAILABLE,
    "core.fatal.service_unavailable", 2, 500,
      "Service unavailable: %s.",
      NULL)

KZ_ERROR(FATAL_SERVICE_TIMEOUT,
    "core.fatal.service_timeout", 3, 500,
      "[FATAL] Service \"%s\": initialization timeout",
      NULL)

KZ_ERROR(FATAL_UNREADABLE_LOG_DIR,
    "core.fatal.unreadable_log_dir", 4, 500,
      "Cannot read log directory '%s' : %s.",
      NULL)

KZ_ERROR(FATAL_ASSERTION_FAILED,
    "core.fatal.assertion_failed", 5, 500,
      "Runtime assertion failed: %s",
      NULL)

KZ_ERROR(REALTIME_ROOM_NOT_FOUND,
    "core.realtime.room_not_found", 65537, 404,
      "The room \"%s\" doesn't exist",
      NULL)

KZ_ERROR(REALTIME_INVALID_ROOMS,
    "core.realtime.invalid_rooms", 65538, 400,
      "The \"rooms\" attribute must be an array.",
      NULL)

KZ_ERROR(REALTIME_INVALID_STATE,
    "core.realtime.invalid_state", 65539, 400,
      "Invalid value for the \"state\" parameter (allowed: \"all\", "
      "\"done\", \"pending\").",
      NULL)

KZ_ERROR(REALTIME_INVALID_SCOPE,
    "core.realtime.invalid_scope", 65540, 400,
      "Invalid value for the \"scope\" parameter (allowed: \"all\", "
      "\"in\", \"out\", \"none\").",
      NULL)

KZ_ERROR(REALTIME_INVALID_USERS,
    "core.realtime.invalid_users", 65541, 400,
      "Invalid value for the \"users\" parameter (allowed: \"all\", "
      "\"in\", \"out\", \"none\").",
      NULL)

KZ_ERROR(REALTIME_TOO_MANY_TERMS,
    "core.realtime.too_many_terms", 65542, 413,
      "Unable to subscribe: maximum number of terms exceeded (max %s, "
      "received %s).",
      NULL)

KZ_ERROR(REALTIME_TOO_MANY_ROOMS,
    "core.realtime.too_many_rooms", 65543, 413,
      "Unable to subscribe: maximum number of unique rooms reached.",
      NULL)

KZ_ERROR(REALTIME_NOT_SUBSCRIBED,
    "core.realtime.not_subscribed", 65544, 412,
      "User \"%s\" has not subscribed to \"%s\".",
      NULL)

KZ_ERROR(VAULT_CANNOT_DECRYPT,
    "core.vault.cannot_decrypt", 131073, 500,
      "Cannot decrypt secrets: %s.",
      NULL)

KZ_ERROR(VAULT_KEY_NOT_FOUND,
    "core.vault.key_not_found", 131074, 500,
      "Cannot find vault key. Aborting.",
      NULL)

KZ_ERROR(CONFIGURATION_INVALID_TYPE,
    "core.configuration.invalid_type", 196609, 500,
      "Invalid type for the configuration parameter \"%s\" (expected: "
      "%s)",
      NULL)

KZ_ERROR(CONFIGURATION_OUT_OF_RANGE,
    "core.configuration.out_of_range", 196610, 500,
      "The configuration value set for \"%s\" is outside the allowed "
      "range (allowed: %s)",
      NULL)

KZ_ERROR(CONFIGURATION_CANNOT_PARSE,
    "core.configuration.cannot_parse", 196611, 500,
      "Unable to read kuzzlerc configuration file: %s",
      NULL)

KZ_ERROR(CONFIGURATION_INCOMPATIBLE,
    "core.configuration.incompatible", 196612, 500,
      "Incompatible configuration: %s",
      NULL)

KZ_ERROR(SANDBOX_PROCESS_ALREADY_RUNNING,
    "core.sandbox.process_already_running", 262145, 500,
      "A process is already running for this sandbox",
      NULL)

KZ_ERROR(SANDBOX_TIMEOUT,
    "core.sandbox.timeout", 262146, 504,
      "Timeout. The sandbox did not respond within %sms.",
      NULL)

KZ_ERROR(DEBUGGER_NOT_ENABLED,
    "core.debugger.not_enabled", 327681, 412,
      "Debugger is not enabled",
      NULL)

KZ_ERROR(DEBUGGER_MONITOR_ALREADY_RUNNING,
    "core.debugger.monitor_already_running", 327682, 412,
      "The monitoring of \"%s\" is already running",
      NULL)

KZ_ERROR(DEBUGGER_MONITOR_NOT_RUNNING,
    "core.debugger.monitor_not_running", 327683, 412,
      "The monitoring of \"%s\" is not running",
      NULL)

KZ_ERROR(DEBUGGER_NATIVE_DEBUG_PROTOCOL_USAGE_DENIED,
    "core.debugger.native_debug_protocol_usage_denied", 327684, 412,
      "Usage of the native debug protocol is not allowed",
      NULL)

KZ_ERROR(DEBUGGER_METHOD_NOT_FOUND,
    "core.debugger.method_not_found", 327685, 412,
      "Debugger method \"%s\" not found.",
      NULL)

KZ_ERROR(STORAGE_UNKNOWN_INDEX,
    "services.storage.unknown_index", 16842753, 412,
      "The index \"%s\" does not exist.",
      NULL)

KZ_ERROR(STORAGE_UNKNOWN_COLLECTION,
    "services.storage.unknown_collection", 16842754, 412,
      "The collection \"%s\" does not exist.",
      "The collection \"%s\":\"%s\" does not exist.")

KZ_ERROR(STORAGE_GET_LIMIT_EXCEEDED,
    "services.storage.get_limit_exceeded", 16842755, 413,
      "The number of documents returned by this request exceeds the "
      "configured server limit ( %s ).",
      "The number of documents returned by this request exceeds the "
      "configured server limit.")

KZ_ERROR(STORAGE_WRITE_LIMIT_EXCEEDED,
    "services.storage.write_limit_exceeded", 16842756, 413,
      "The number of documents edited by this request exceeds the "
      "configured server limit ( %s ).",
      "The number of documents edited by this request exceeds the "
      "configured server limit.")

KZ_ERROR(STORAGE_IMPORT_FAILED,
    "services.storage.import_failed", 16842757, 206,
      "Failed to import some or all documents.",
      NULL)

KZ_ERROR(STORAGE_NO_MULTI_INDEXES,
    "services.storage.no_multi_indexes", 16842758, 400,
      "Cannot be run on multiple indexes.",
      NULL)

KZ_ERROR(STORAGE_NO_MULTI_COLLECTIONS,
    "services.storage.no_multi_collections", 16842759, 400,
      "Cannot be run on multiple collections.",
      NULL)

KZ_ERROR(STORAGE_INCOMPLETE_FETCH,
    "services.storage.incomplete_fetch", 16842760, 206,
      "Couldn't retrieve all the requested documents.",
      NULL)

KZ_ERROR(STORAGE_INCOMPLETE_DELETE,
    "services.storage.incomplete_delete", 16842761, 206,
      "Couldn't delete all the requested documents: %s",
      NULL)

KZ_ERROR(STORAGE_INCOMPLETE_CREATE,
    "services.storage.incomplete_create", 16842762, 206,
      "Couldn't create all the requested documents: %s",
      NULL)

KZ_ERROR(STORAGE_NOT_FOUND,
    "services.storage.not_found", 16842763, 404,
      "Document \"%s\" not found.",
      "Document \"%s\" not found in \"%s\":\"%s\".")

KZ_ERROR(STORAGE_BOOTSTRAP_TIMEOUT,
    "services.storage.bootstrap_timeout", 16842764, 500,
      "%s: bootstrap failed - lock wait timeout exceeded.",
      NULL)

KZ_ERROR(STORAGE_VERSION_MISMATCH,
    "services.storage.version_mismatch", 16842765, 500,
      "Your elasticsearch version is %s; Only elasticsearch version 5 "
      "is currently supported.",
      "Your elasticsearch version is %s: this version is not compatible "
      "with this version of Kuzzle")

KZ_ERROR(STORAGE_UNKNOWN_SCROLL_ID,
    "services.storage.unknown_scroll_id", 16842766, 404,
      "Non-existing or expired scroll identifier.",
      NULL)

KZ_ERROR(STORAGE_SEARCH_AS_AN_ID,
    "services.storage.search_as_an_id", 16842767, 400,
      "_search is not a valid document identifier",
      NULL)

KZ_ERROR(STORAGE_UNKNOWN_INDEX_COLLECTION,
    "services.storage.unknown_index_collection", 16842768, 412,
      "The provided index and/or collection doesn't exist.",
      NULL)

KZ_ERROR(STORAGE_DOCUMENT_ALREADY_EXISTS,
    "services.storage.document_already_exists", 16842769, 400,
      "Document already exists.",
      NULL)

KZ_ERROR(STORAGE_MISSING_ARGUMENT,
    "services.storage.missing_argument", 16842770, 400,
      "Required argument \"%s\" is missing or is empty",
      NULL)

KZ_ERROR(STORAGE_INVALID_ARGUMENT,
    "services.storage.invalid_argument", 16842771, 400,
      "Argument \"%s\" is invalid (expected: %s)",
      NULL)

KZ_ERROR(STORAGE_INDEX_PROTECTED,
    "services.storage.index_protected", 16842772, 400,
      "Index '%s' is protected, use the appropriated routes instead.",
      NULL)

KZ_ERROR(STORAGE_INVALID_MAPPING,
    "services.storage.invalid_mapping", 16842773, 400,
      "Invalid mapping property \"mapping.%s\".%s",
      "Invalid mapping property \"mappings.%s\".%s")

KZ_ERROR(STORAGE_COLLECTION_RESERVED,
    "services.storage.collection_reserved", 16842774, 400,
      "Invalid collection name. \"%s\" is reserved for internal usage.",
      NULL)

KZ_ERROR(STORAGE_INDEX_RESERVED,
    "services.storage.index_reserved", 16842774, 400,
      "Indexes starting with a '%' are reserved for internal use. "
      "Cannot process index %s.",
      NULL)

KZ_ERROR(STORAGE_NO_ROUTING,
    "services.storage.no_routing", 16842775, 400,
      "The \"_routing\" keyword is forbidden.",
      NULL)

KZ_ERROR(STORAGE_NOT_CONNECTED,
    "services.storage.not_connected", 16842776, 500,
      "Elasticsearch service is not connected.",
      NULL)

KZ_ERROR(STORAGE_TOO_MANY_OPERATIONS,
    "services.storage.too_many_operations", 16842777, 500,
      "\"%s\" threads buffer exceeded. Too many operations received at "
      "once.",
      NULL)

KZ_ERROR(STORAGE_CANNOT_CHANGE_MAPPING,
    "services.storage.cannot_change_mapping", 16842778, 400,
      "Field \"%s\" already has a mapping, and it cannot be changed",
      NULL)

KZ_ERROR(STORAGE_DUPLICATE_FIELD_MAPPING,
    "services.storage.duplicate_field_mapping", 16842779, 400,
      "Cannot set mapping for field \"%s\" on collection \"%s\" because "
      "this field name is already used in another collection, with a "
      "different type.",
      NULL)

KZ_ERROR(STORAGE_UNEXPECTED_PROPERTIES,
    "services.storage.unexpected_properties", 16842780, 400,
      "Property \"%s\" is not supported for field \"%s\".",
      NULL)

KZ_ERROR(STORAGE_INVALID_MAPPING_TYPE,
    "services.storage.invalid_mapping_type", 16842781, 400,
      "Field \"%s\": the data type \"%s\" doesn't exist",
      NULL)

KZ_ERROR(STORAGE_WRONG_MAPPING_PROPERTY,
    "services.storage.wrong_mapping_property", 16842782, 400,
      "Cannot parse mapping property \"%s\"",
      NULL)

KZ_ERROR(STORAGE_INVALID_MAPPING_ARGUMENT,
    "services.storage.invalid_mapping_argument", 16842783, 400,
      "Field \"%s\": invalid mapping property \"%s\".",
      NULL)

KZ_ERROR(STORAGE_TOO_MANY_CHANGES,
    "services.storage.too_many_changes", 16842784, 500,
      "Unable to modify document \"%s\": cluster sync failed (too many "
      "simultaneous changes applied)",
      NULL)

KZ_ERROR(STORAGE_UNEXPECTED_BAD_REQUEST,
    "services.storage.unexpected_bad_request", 16842785, 400,
      "%s",
      NULL)

KZ_ERROR(STORAGE_UNEXPECTED_NOT_FOUND,
    "services.storage.unexpected_not_found", 16842786, 404,
      "%s",
      NULL)

KZ_ERROR(STORAGE_UNEXPECTED_ERROR,
    "services.storage.unexpected_error", 16842787, 500,
      "%s",
      NULL)

KZ_ERROR(STORAGE_NO_MAPPING_FOUND,
    "services.storage.no_mapping_found", 16842789, 404,
      "No mapping found for index \"%s\".",
      NULL)

KZ_ERROR(STORAGE_INDEX_ALREADY_EXISTS,
    "services.storage.index_already_exists", 16842790, 412,
      "A %s index named \"%s\" already exists",
      NULL)

KZ_ERROR(STORAGE_FORBIDDEN_CHARACTER,
    "services.storage.forbidden_character", 16842791, 400,
      "An index or a collection name cannot contain the character "
      "\"%s\"",
      NULL)

KZ_ERROR(STORAGE_INVALID_SEARCH_QUERY,
    "services.storage.invalid_search_query", 16842792, 400,
      "The argument \"%s\" is not allowed at this level of a search "
      "query.",
      NULL)

KZ_ERROR(STORAGE_INVALID_INDEX_NAME,
    "services.storage.invalid_index_name", 16842793, 400,
      "The index name \"%s\" is invalid",
      NULL)

KZ_ERROR(STORAGE_INVALID_COLLECTION_NAME,
    "services.storage.invalid_collection_name", 16842794, 400,
      "The collection name \"%s\" is invalid",
      NULL)

KZ_ERROR(STORAGE_STRICT_MAPPING_REJECTION,
    "services.storage.strict_mapping_rejection", 16842795, 400,
      "Cannot create document. Field \"%s\" is not present in "
      "collection \"%s:%s\" strict mapping",
      NULL)

KZ_ERROR(STORAGE_SCROLL_DURATION_TOO_GREAT,
    "services.storage.scroll_duration_too_great", 16842796, 400,
      "Scroll duration \"%s\" is too great.",
      NULL)

KZ_ERROR(STORAGE_UNKNOWN_QUERY_KEYWORD,
    "services.storage.unknown_query_keyword", 16842797, 400,
      "The keyword \"%s\" is not part of Elasticsearch Query DSL. Are "
      "you trying to use a Koncorde query?",
      NULL)

KZ_ERROR(STORAGE_INCOMPLETE_UPDATE,
    "services.storage.incomplete_update", 16842798, 400,
      "%s documents were successfully updated before an error occured",
      NULL)

KZ_ERROR(STORAGE_INVALID_QUERY_KEYWORD,
    "services.storage.invalid_query_keyword", 16842799, 400,
      "The \"%s\" keyword is not allowed in this query.",
      NULL)

KZ_ERROR(STORAGE_MULTIPLE_INDICE_ALIAS,
    "services.storage.multiple_indice_alias", 16842800, 412,
      "An %s is not allowed to be associated with multiple %s. This is "
      "probably not linked to this request but rather the consequence "
      "of previous actions on ElasticSearch.",
      NULL)

KZ_ERROR(STORAGE_INVALID_MULTI_INDEX_COLLECTION_USAGE,
    "services.storage.invalid_multi_index_collection_usage", 16842801, 400,
      "Searches on multiple collections should be achieved with the "
      "\"targets\" argument who contains list of indexes and "
      "collections to search within.",
      NULL)

KZ_ERROR(STORAGE_INVALID_TARGET_FORMAT,
    "services.storage.invalid_target_format", 16842802, 400,
      "The %s (\"%s\") contains invalid characters \",+*\" or is equal "
      "to \"_all\" which is forbidden",
      NULL)

KZ_ERROR(STORAGE_WRONG_ES_STATIC_SETTINGS_FOR_COLLECTION_RECREATION,
    "services.storage."
    "wrong_es_static_settings_for_collection_recreation",
    16842803, 400,
      "Attempt to recreate an existing collection %s of index %s of "
      "scope %s with non matching static setting : %s at %s while "
      "existing one is at %s",
      NULL)

KZ_ERROR(CACHE_DATABASE_NOT_FOUND,
    "services.cache.database_not_found", 16973825, 404,
      "Cache database \"%s\" not found.",
      NULL)

KZ_ERROR(CACHE_READ_FAILED,
    "services.cache.read_failed", 16973826, 500,
      "Cache read fail: %s",
      NULL)

KZ_ERROR(CACHE_NOT_CONNECTED,
    "services.cache.not_connected", 16973827, 503,
      "Unable to connect to the cache server.",
      NULL)

KZ_ERROR(CACHE_WRITE_FAILED,
    "services.cache.write_failed", 16973828, 500,
      "Cache write fail: %s",
      NULL)

KZ_ERROR(STATISTICS_NOT_AVAILABLE,
    "services.statistics.not_available", 17039361, 500,
      "Statistics module is not available.",
      NULL)

KZ_ERROR(KONCORDE_ELASTIC_TRANSLATION_ERROR,
    "services.koncorde.elastic_translation_error", 17104897, 400,
      "An error occured while translating a Koncorde filter to an "
      "Elasticsearch query: %s",
      NULL)

KZ_ERROR(ASSERT_INVALID_TYPE,
    "api.assert.invalid_type", 33619969, 400,
      "Wrong type for argument \"%s\" (expected: %s)",
      NULL)

KZ_ERROR(ASSERT_INVALID_ARGUMENT,
    "api.assert.invalid_argument", 33619970, 400,
      "Invalid argument \"%s\". Expected: %s",
      NULL)

KZ_ERROR(ASSERT_MISSING_ARGUMENT,
    "api.assert.missing_argument", 33619971, 400,
      "Missing argument \"%s\".",
      NULL)

KZ_ERROR(ASSERT_EMPTY_ARGUMENT,
    "api.assert.empty_argument", 33619972, 400,
      "The argument \"%s\" is empty.",
      NULL)

KZ_ERROR(ASSERT_MUTUALLY_EXCLUSIVE,
    "api.assert.mutually_exclusive", 33619973, 400,
      "Arguments \"%s\" and \"%s\" are mutually exclusive",
      NULL)

KZ_ERROR(ASSERT_TOO_MANY_ARGUMENTS,
    "api.assert.too_many_arguments", 33619974, 400,
      "Argument \"%s\" contains too many values",
      NULL)

KZ_ERROR(ASSERT_UNEXPECTED_ARGUMENT,
    "api.assert.unexpected_argument", 33619975, 400,
      "Unexpected argument \"%s\" (accepted arguments: %s)",
      NULL)

KZ_ERROR(ASSERT_BODY_REQUIRED,
    "api.assert.body_required", 33619976, 400,
      "The request must specify a body.",
      NULL)

KZ_ERROR(ASSERT_UNEXPECTED_TYPE_ASSERTION,
    "api.assert.unexpected_type_assertion", 33619977, 500,
      "An unexepected type assertion \"%s\" has been invoked on "
      "attribute \"%s\".",
      NULL)

KZ_ERROR(ASSERT_INVALID_ID,
    "api.assert.invalid_id", 33619978, 400,
      "Invalid \"_id\" value: cannot start with an underscore",
      NULL)

KZ_ERROR(ASSERT_FORBIDDEN_ARGUMENT,
    "api.assert.forbidden_argument", 33619979, 400,
      "The argument \"%s\" is not allowed by this API action.",
      NULL)

KZ_ERROR(ASSERT_KONCORDE_UNKNOWN_KEYWORD,
    "api.assert.koncorde_unknown_keyword", 33619980, 400,
      "The keyword \"%s\" is not part of Koncorde filters DSL keywords. "
      "Are you trying to use an Elasticsearch query?",
      NULL)

KZ_ERROR(ASSERT_KONCORDE_RESTRICTED_KEYWORD,
    "api.assert.koncorde_restricted_keyword", 33619981, 400,
      "The %s \"%s\" of Koncorde DSL is not supported for search "
      "queries.",
      NULL)

KZ_ERROR(ASSERT_KONCORDE_DSL_ERROR,
    "api.assert.koncorde_dsl_error", 33619982, 400,
      "%s",
      NULL)

KZ_ERROR(ASSERT_FORBIDDEN_STREAM,
    "api.assert.forbidden_stream", 33619983, 500,
      "Cannot set an HttpStream as a request's response in a non-http "
      "protocol",
      NULL)

KZ_ERROR(ASSERT_UNSUPPORTED_PROTOCOL,
    "api.assert.unsupported_protocol", 33619984, 500,
      "The protocol \"%s\" is not supported by the API action \"%s\".",
      NULL)

KZ_ERROR(PROCESS_ACTION_LOCKED,
    "api.process.action_locked", 33685505, 412,
      "Cannot execute action \"%s\": already executing.",
      NULL)

KZ_ERROR(PROCESS_OVERLOADED,
    "api.process.overloaded", 33685506, 503,
      "Request discarded: Kuzzle Server is temporarily overloaded.",
      NULL)

KZ_ERROR(PROCESS_CONNECTION_DROPPED,
    "api.process.connection_dropped", 33685507, 400,
      "Client connection dropped",
      NULL)

KZ_ERROR(PROCESS_CONTROLLER_NOT_FOUND,
    "api.process.controller_not_found", 33685508, 404,
      "API controller \"%s\" not found.",
      NULL)

KZ_ERROR(PROCESS_ACTION_NOT_FOUND,
    "api.process.action_not_found", 33685509, 404,
      "Controller action \"%s\" not found.",
      "API action \"%s\":\"%s\" not found")

KZ_ERROR(PROCESS_INCOMPATIBLE_SDK_VERSION,
    "api.process.incompatible_sdk_version", 33685510, 400,
      "Incompatible SDK client. Your SDK version (%s) does not match "
      "Kuzzle requirement (%s).",
      NULL)

KZ_ERROR(PROCESS_SHUTTING_DOWN,
    "api.process.shutting_down", 33685511, 503,
      "Rejected: this node is shutting down.",
      NULL)

KZ_ERROR(PROCESS_TOO_MANY_REQUESTS,
    "api.process.too_many_requests", 33685512, 429,
      "Rejected: requests rate limit exceeded for this user.",
      NULL)

KZ_ERROR(PROCESS_ADMIN_EXISTS,
    "api.process.admin_exists", 33685513, 412,
      "Admin user is already set.",
      NULL)

KZ_ERROR(PROCESS_INCOMPLETE_MULTIPLE_REQUEST,
    "api.process.incomplete_multiple_request", 33685514, 400,
      "At least one of the %s actions failed.",
      NULL)

KZ_ERROR(PROCESS_NOT_ENOUGH_NODES,
    "api.process.not_enough_nodes", 33685515, 503,
      "Rejected: this cluster is disabled because there aren't enough "
      "nodes connected.",
      NULL)

KZ_ERROR(PROCESS_UNAUTHORIZED_ORIGIN,
    "api.process.unauthorized_origin", 33685516, 401,
      "The origin \"%s\" is not authorized.",
      NULL)

KZ_ERROR(PROCESS_TOO_MANY_LOGINS_REQUESTS,
    "api.process.too_many_logins_requests", 33685517, 429,
      "Rejected: Too many login attempts per second",
      NULL)

KZ_ERROR(PROCESS_FORBIDDEN_EMBEDDED_SDK_ACTION,
    "api.process.forbidden_embedded_sdk_action", 33685518, 500,
      "The action %s:%s has been called while it is forbidden in the "
      "EmbeddedSDK%s.",
      NULL)

KZ_ERROR(HTTP_REQUEST_TOO_LARGE,
    "network.http.request_too_large", 50397185, 413,
      "Maximum HTTP request size exceeded.",
      NULL)

KZ_ERROR(HTTP_UNEXPECTED_ERROR,
    "network.http.unexpected_error", 50397186, 400,
      "Caught an unexpected HTTP error: %s",
      NULL)

KZ_ERROR(HTTP_TOO_MANY_ENCODINGS,
    "network.http.too_many_encodings", 50397187, 400,
      "Too many encodings.",
      NULL)

KZ_ERROR(HTTP_UNSUPPORTED_COMPRESSION,
    "network.http.unsupported_compression", 50397188, 400,
      "Unsupported compression algorithm \"%s\".",
      NULL)

KZ_ERROR(HTTP_COMPRESSION_DISABLED,
    "network.http.compression_disabled", 50397189, 400,
      "Compression support is disabled.",
      NULL)

KZ_ERROR(HTTP_UNSUPPORTED_VERB,
    "network.http.unsupported_verb", 50397190, 400,
      "Unsupported HTTP verb \"%s\".",
      NULL)

KZ_ERROR(HTTP_URL_NOT_FOUND,
    "network.http.url_not_found", 50397191, 404,
      "API URL not found: %s.",
      NULL)

KZ_ERROR(HTTP_UNSUPPORTED_CONTENT,
    "network.http.unsupported_content", 50397192, 400,
      "Invalid request content-type. Expected \"application/json\", "
      "got: \"%s\".",
      NULL)

KZ_ERROR(HTTP_UNSUPPORTED_CHARSET,
    "network.http.unsupported_charset", 50397193, 400,
      "Unsupported request charset. Expected \"utf-8\", got: \"%s\".",
      NULL)

KZ_ERROR(HTTP_DUPLICATE_URL,
    "network.http.duplicate_url", 50397194, 500,
      "Unable to attach URL %s: this path already exists.",
      NULL)

KZ_ERROR(HTTP_VOLATILE_PARSE_FAILED,
    "network.http.volatile_parse_failed", 50397195, 400,
      "Unable to convert the \"x-kuzzle-volatile\" HTTP header to JSON: "
      "%s",
      NULL)

KZ_ERROR(HTTP_BODY_PARSE_FAILED,
    "network.http.body_parse_failed", 50397196, 400,
      "Unable to convert the HTTP body to JSON: %s",
      NULL)

KZ_ERROR(HTTP_FILE_TOO_LARGE,
    "network.http.file_too_large", 50397197, 413,
      "Maximum HTTP file size exceeded",
      NULL)

KZ_ERROR(HTTP_STREAM_CLOSED,
    "network.http.stream_closed", 50397198, 500,
      "Stream closed or destroyed.",
      NULL)

KZ_ERROR(HTTP_STREAM_ERRORED,
    "network.http.stream_errored", 50397199, 500,
      "Stream errored: %s",
      NULL)

KZ_ERROR(MQTT_UNEXPECTED_ERROR,
    "network.mqtt.unexpected_error", 50462721, 400,
      "Caught an unexpected MQTT error: %s",
      NULL)

KZ_ERROR(WEBSOCKET_UNEXPECTED_ERROR,
    "network.websocket.unexpected_error", 50528257, 400,
      "Caught an unexpected WebSocket error: %s",
      NULL)

KZ_ERROR(WEBSOCKET_RATELIMIT_EXCEEDED,
    "network.websocket.ratelimit_exceeded", 50528258, 429,
      "Rejected: too many requests received from that socket",
      NULL)

KZ_ERROR(ENTRYPOINT_UNEXPECTED_EVENT,
    "network.entrypoint.unexpected_event", 50593793, 500,
      "Unexpected event received: %s.",
      NULL)

KZ_ERROR(ENTRYPOINT_INVALID_PORT,
    "network.entrypoint.invalid_port", 50593794, 500,
      "Invalid network port number: %s.",
      NULL)

KZ_ERROR(ENTRYPOINT_SHUTTING_DOWN,
    "network.entrypoint.shutting_down", 50593795, 503,
      "Rejected: instance is shutting down",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_INVALID_PLUGINS_DIR,
    "plugin.assert.invalid_plugins_dir", 67174401, 500,
      "Unable to read plugins directory \"%s\"; %s.",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_CANNOT_LOAD,
    "plugin.assert.cannot_load", 67174402, 500,
      "Unable to load plugin from path \"%s\"; %s.",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_INVALID_HOOK,
    "plugin.assert.invalid_hook", 67174403, 500,
      "Unable to configure a hook for the event \"%s\": \"%s\" should "
      "be a plugin method name, or a function. %s",
      "Unable to configure a hook for the event \"%s\": \"%s\" should "
      "be a function. %s")

KZ_ERROR(PLUGIN_ASSERT_INVALID_PIPE,
    "plugin.assert.invalid_pipe", 67174404, 500,
      "Unable to configure a pipe for the event \"%s\": \"%s\" should "
      "be a plugin method name, or a function. %s",
      "Unable to configure a pipe for the event \"%s\": \"%s\" should "
      "be a function. %s")

KZ_ERROR(PLUGIN_ASSERT_INIT_NOT_FOUND,
    "plugin.assert.init_not_found", 67174405, 500,
      "Plugin \"%s\": No \"init\" method found.",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_PRIVILEGED_NOT_SUPPORTED,
    "plugin.assert.privileged_not_supported", 67174406, 500,
      "The plugin \"%s\" is configured to run in privileged mode, but "
      "it does not seem to support it.",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_PRIVILEGED_NOT_SET,
    "plugin.assert.privileged_not_set", 67174407, 500,
      "The plugin \"%s\" needs to run in privileged mode to work, you "
      "have to explicitly set \"privileged: true\" in its "
      "configuration.",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_NOT_A_CONSTRUCTOR,
    "plugin.assert.not_a_constructor", 67174408, 500,
      "Plugin \"%s\" is not a constructor.",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_NAME_ALREADY_EXISTS,
    "plugin.assert.name_already_exists", 67174409, 500,
      "A plugin named %s already exists",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_INVALID_PLUGIN_NAME,
    "plugin.assert.invalid_plugin_name", 67174410, 500,
      "Plugin name \"%s\" is invalid. Plugin names must be in "
      "kebab-case.",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_NO_NAME_PROVIDED,
    "plugin.assert.no_name_provided", 67174411, 500,
      "Cannot infer plugin name. No constructor method and no name "
      "provided",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_INVALID_CONTROLLER_DEFINITION,
    "plugin.assert.invalid_controller_definition", 67174412, 500,
      "Incorrect \"%s\" controller definition: %s",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_INVALID_APPLICATION_NAME,
    "plugin.assert.invalid_application_name", 67174413, 500,
      "Application name \"%s\" is invalid. Application names must be in "
      "kebab-case.",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_DUPLICATED_API_DEFINITION,
    "plugin.assert.duplicated_api_definition", 67174414, 500,
      "Cannot define new controllers in the \"api\" and the "
      "\"controllers\" objects at the same time",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_PLUGIN_NOT_FOUND,
    "plugin.assert.plugin_not_found", 67174415, 404,
      "Plugin \"%s\" not found.%s",
      NULL)

KZ_ERROR(PLUGIN_ASSERT_INVALID_OPENAPI_SCHEMA,
    "plugin.assert.invalid_openapi_schema", 67174416, 500,
      "Invalid OpenAPI specification: \"%s\"",
      NULL)

KZ_ERROR(PLUGIN_RUNTIME_FAILED_INIT,
    "plugin.runtime.failed_init", 67239937, 500,
      "Something went wrong during initialization of \"%s\" plugin.",
      "Something went wrong during initialization of \"%s\" plugin. Set "
      "\"plugins.common.failsafeMode\" to true to bypass plugin "
      "initialization.")

KZ_ERROR(PLUGIN_RUNTIME_UNEXPECTED_ERROR,
    "plugin.runtime.unexpected_error", 67239938, 500,
      "Caught an unexpected plugin error: %s",
      NULL)

KZ_ERROR(PLUGIN_RUNTIME_PIPE_TIMEOUT,
    "plugin.runtime.pipe_timeout", 67239939, 504,
      "Plugin \"%s\": timeout error. A pipe on the event \"%s\" "
      "exceeded the timeout delay (%sms). Aborting.",
      NULL)

KZ_ERROR(PLUGIN_RUNTIME_TOO_MANY_PIPES,
    "plugin.runtime.too_many_pipes", 67239940, 503,
      "Request discarded: maximum number of executing pipe functions "
      "reached.",
      NULL)

KZ_ERROR(PLUGIN_RUNTIME_ALREADY_STARTED,
    "plugin.runtime.already_started", 67239941, 500,
      "Cannot use property \"%s\" when application is already running",
      NULL)

KZ_ERROR(PLUGIN_RUNTIME_UNAVAILABLE_BEFORE_START,
    "plugin.runtime.unavailable_before_start", 67239942, 500,
      "Cannot use property \"%s\" before application startup",
      NULL)

KZ_ERROR(PLUGIN_RUNTIME_UNKNOWN_PIPE,
    "plugin.runtime.unknown_pipe", 67239943, 500,
      "Unknown pipe ID \"%s\"",
      NULL)

KZ_ERROR(PLUGIN_RUNTIME_UNEXPECTED_INSTALLATION_ERROR,
    "plugin.runtime.unexpected_installation_error", 67239944, 500,
      "Caught an unexpected error while executing installation \"%s\": "
      "%s",
      NULL)

KZ_ERROR(PLUGIN_RUNTIME_INCOMPATIBLE,
    "plugin.runtime.incompatible", 67239945, 500,
      "\"%s\" and \"%s\" are incompatible. Please use only one of these "
      "features at the same time.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_DESCRIPTION,
    "plugin.strategy.invalid_description", 67305473, 500,
      "%s expected the strategy description to be an object, got: %s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_METHODS,
    "plugin.strategy.invalid_methods", 67305474, 500,
      "%s expected a \"methods\" property of type \"object\", got: %s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_METHOD_TYPE,
    "plugin.strategy.invalid_method_type", 67305475, 500,
      "%s expected a \"%s\" property of type \"string\", got: %s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_MISSING_METHOD_FUNCTION,
    "plugin.strategy.missing_method_function", 67305476, 500,
      "%s the strategy method \"%s\" must point to an exposed function.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_CONFIG,
    "plugin.strategy.invalid_config", 67305477, 500,
      "%s expected a \"config\" property of type \"object\", got: %s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_UNEXPECTED_CONSTRUCTOR,
    "plugin.strategy.unexpected_constructor", 67305478, 500,
      "%s the \"authenticator\" and \"constructor\" parameters cannot "
      "both be set.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_CONSTRUCTOR,
    "plugin.strategy.invalid_constructor", 67305479, 500,
      "%s invalid \"constructor\" property value: constructor expected.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_AUTHENTICATOR,
    "plugin.strategy.invalid_authenticator", 67305480, 500,
      "%s expected an \"authenticator\" property of type \"string\", "
      "got: %s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_UNKNOWN_AUTHENTICATOR,
    "plugin.strategy.unknown_authenticator", 67305481, 500,
      "%s unknown authenticator: %s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_OPTION,
    "plugin.strategy.invalid_option", 67305482, 500,
      "%s expected the \"%s\" property to be of type \"object\", got: "
      "%s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_FIELDS,
    "plugin.strategy.invalid_fields", 67305483, 500,
      "%s expected the \"fields\" property to be of type \"array\", "
      "got: %s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_DEFINITION,
    "plugin.strategy.invalid_definition", 67305484, 500,
      "%s the exposed \"strategies\" plugin property must be a "
      "non-empty object.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_FAILED_REGISTRATION,
    "plugin.strategy.failed_registration", 67305485, 500,
      "Failed to register strategy \"%s\": %s",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_VERIFY_RETURN,
    "plugin.strategy.invalid_verify_return", 67305486, 500,
      "%s The \"verify\" method is expected to return a Promise, got: "
      "%s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_VERIFY_RESOLVE,
    "plugin.strategy.invalid_verify_resolve", 67305487, 500,
      "%s invalid authentication strategy result (expected an object).",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_INVALID_KUID,
    "plugin.strategy.invalid_kuid", 67305488, 500,
      "%s invalid authentication kuid returned: expected a string, got "
      "a %s.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_UNKNOWN_KUID,
    "plugin.strategy.unknown_kuid", 67305489, 500,
      "%s returned an unknown Kuzzle user identifier.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_UNAUTHORIZED_REMOVAL,
    "plugin.strategy.unauthorized_removal", 67305490, 500,
      "Cannot remove strategy %s: owned by another plugin.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_STRATEGY_NOT_FOUND,
    "plugin.strategy.strategy_not_found", 67305491, 404,
      "Cannot remove strategy %s: strategy does not exist.",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_MISSING_USER,
    "plugin.strategy.missing_user", 67305492, 401,
      "%s",
      NULL)

KZ_ERROR(PLUGIN_STRATEGY_MISSING_OPTIONAL_METHOD,
    "plugin.strategy.missing_optional_method", 67305493, 500,
      "\"%s\" method is optional. The %s strategy plugin has not yet "
      "implemented it.",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_INVALID_DESCRIPTION,
    "plugin.controller.invalid_description", 67371009, 500,
      "%s Invalid controller description type (expected object, got: "
      "\"%s\").",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_INVALID_ACTION,
    "plugin.controller.invalid_action", 67371010, 500,
      "%s Action for \"%s\" is neither a function nor a function name. "
      "%s",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_UNEXPECTED_ROUTE_PROPERTY,
    "plugin.controller.unexpected_route_property", 67371011, 500,
      "%s Unexpected property \"%s\" in route definition. %s",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_INVALID_ROUTE_PROPERTY,
    "plugin.controller.invalid_route_property", 67371012, 500,
      "%s \"%s\" must be a non-empty string.",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_UNDEFINED_CONTROLLER,
    "plugin.controller.undefined_controller", 67371013, 500,
      "%s Undefined controller \"%s\". %s",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_UNDEFINED_ACTION,
    "plugin.controller.undefined_action", 67371014, 500,
      "%s Undefined action \"%s\". %s",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_UNSUPPORTED_VERB,
    "plugin.controller.unsupported_verb", 67371015, 500,
      "%s Only the following http verbs are allowed: \"%s\". %s",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_UNSERIALIZABLE_RESPONSE,
    "plugin.controller.unserializable_response", 67371016, 500,
      "Unable to serialize response. Are you trying to return the "
      "request?",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_INVALID_ACTION_RESPONSE,
    "plugin.controller.invalid_action_response", 67371017, 500,
      "Unexpected return value from action \"%s:%s\": expected a "
      "Promise",
      NULL)

KZ_ERROR(PLUGIN_CONTROLLER_INVALID_OPENAPI_SCHEMA,
    "plugin.controller.invalid_openapi_schema", 67371018, 500,
      "Invalid OpenAPI specification in \"%s:%s\", %s : %s",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_CANNOT_LOAD,
    "plugin.manifest.cannot_load", 67436545, 500,
      "[%s] Unable to load the file 'manifest.json': %s",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_VERSION_MISMATCH,
    "plugin.manifest.version_mismatch", 67436546, 500,
      "[%s/manifest.json] Version mismatch: current Kuzzle version %s "
      "does not match the manifest requirements (%s).",
      "[%s] Version mismatch: current Kuzzle version %s does not match "
      "the manifest requirements (%s).")

KZ_ERROR(PLUGIN_MANIFEST_INVALID_NAME_TYPE,
    "plugin.manifest.invalid_name_type", 67436547, 500,
      "[%s] Invalid \"name\" property: expected a non-empty string.",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_INVALID_NAME,
    "plugin.manifest.invalid_name", 67436548, 500,
      "[%s] Invalid plugin name. The name must be comprised only of "
      "letters, numbers, hyphens and underscores.",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_MISSING_NAME,
    "plugin.manifest.missing_name", 67436549, 500,
      "[%s] A \"name\" property is required.",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_INVALID_ERRORS,
    "plugin.manifest.invalid_errors", 67436550, 500,
      "[%s] errors field in manifest.json badly formatted: %s",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_INVALID_PRIVILEGED,
    "plugin.manifest.invalid_privileged", 67436551, 500,
      "[%s] Invalid \"privileged\" property: expected a boolean, got a "
      "%s.",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_MISSING_PACKAGE,
    "plugin.manifest.missing_package", 67436552, 500,
      "[%s] No package.json file found.",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_MISSING_PACKAGE_NAME,
    "plugin.manifest.missing_package_name", 67436553, 500,
      "[%s] No \"name\" property provided in package.json.",
      NULL)

KZ_ERROR(PLUGIN_MANIFEST_MISSING_VERSION,
    "plugin.manifest.missing_version", 67436554, 500,
      "[%s] A \"kuzzleVersion\" property is required",
      NULL)

KZ_ERROR(PLUGIN_CONTEXT_MISSING_COLLECTION,
    "plugin.context.missing_collection", 67502081, 500,
      "Missing collection argument.",
      NULL)

KZ_ERROR(PLUGIN_CONTEXT_UNAVAILABLE_REALTIME,
    "plugin.context.unavailable_realtime", 67502082, 500,
      "The method \"realtime:%s\" is unavailable in plugins. Use a "
      "plugin hook instead.",
      "The method \"realtime:%s\" is unavailable with execute(). Use "
      "the embedded SDK instead.")

KZ_ERROR(PLUGIN_CONTEXT_INVALID_USER,
    "plugin.context.invalid_user", 67502083, 500,
      "You must provide a valid User object when adding context with "
      "as().",
      NULL)

KZ_ERROR(PLUGIN_CONTEXT_INVALID_CALLBACK,
    "plugin.context.invalid_callback", 67502084, 500,
      "Invalid argument: Expected callback to be a function, received "
      "\"%s\".",
      NULL)

KZ_ERROR(PLUGIN_CONTEXT_MISSING_REQUEST,
    "plugin.context.missing_request", 67502085, 500,
      "Invalid argument: a Request object must be supplied.",
      NULL)

KZ_ERROR(PLUGIN_CONTEXT_MISSING_REQUEST_DATA,
    "plugin.context.missing_request_data", 67502086, 500,
      "A Request object and/or request data must be provided.",
      NULL)

KZ_ERROR(PLUGIN_CONTEXT_INVALID_EVENT,
    "plugin.context.invalid_event", 67502087, 500,
      "Custom event invalid name (%s). Colons are not allowed in custom "
      "events.",
      NULL)

KZ_ERROR(PLUGIN_CONTEXT_MISSING_AUTHENTICATOR,
    "plugin.context.missing_authenticator", 67502088, 500,
      "[%s] Strategy %s: dynamic strategy registration can only be done "
      "using an \"authenticator\" option (see "
      "https://tinyurl.com/y7boozbk).",
      NULL)

KZ_ERROR(PLUGIN_AUTHENTICATORS_NOT_AN_OBJECT,
    "plugin.authenticators.not_an_object", 67567617, 500,
      "%s the exposed \"authenticators\" plugin property must be of "
      "type \"object\".",
      NULL)

KZ_ERROR(PLUGIN_AUTHENTICATORS_INVALID_AUTHENTICATOR,
    "plugin.authenticators.invalid_authenticator", 67567618, 500,
      "%s invalid authenticator.%s property: expected a constructor.",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_MISSING_NESTED_SPEC,
    "validation.assert.missing_nested_spec", 83951617, 412,
      "All levels of an object have to be defined in the specification.",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_UNEXPECTED_CHILDREN,
    "validation.assert.unexpected_children", 83951618, 412,
      "The field type \"%s\" is not allowed to have children fields.",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_MISSING_PARENT,
    "validation.assert.missing_parent", 83951619, 412,
      "The parent field of the field \"%s\" is not defined.",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_UNEXPECTED_PROPERTIES,
    "validation.assert.unexpected_properties", 83951620, 412,
      "The object \"%s\" contains unexpected properties (allowed: %s).",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_MISSING_TYPE,
    "validation.assert.missing_type", 83951621, 412,
      "Missing property \"type\" in field \"%s\".",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_UNKNOWN_TYPE,
    "validation.assert.unknown_type", 83951622, 412,
      "In \"%s\": unknown type \"%s\".",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_MISSING_VALUE,
    "validation.assert.missing_value", 83951623, 412,
      "Missing property \"value\" in field \"%s\".",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_INVALID_TYPE,
    "validation.assert.invalid_type", 83951624, 412,
      "Wrong type for parameter \"%s\" (expected: %s).",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_NOT_MULTIVALUED,
    "validation.assert.not_multivalued", 83951625, 412,
      "Field \"%s\": cannot set a property \"%s\" if the field is not "
      "multivalued.",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_INVALID_RANGE,
    "validation.assert.invalid_range", 83951626, 412,
      "Property \"%s\": invalid range (%s > %s).",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_INVALID_SPECIFICATIONS,
    "validation.assert.invalid_specifications", 83951627, 400,
      "Errors occured with the provided specifications:\n%s",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_NOT_FOUND,
    "validation.assert.not_found", 83951628, 404,
      "No specifications defined for index %s and collection %s",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_INVALID_FILTERS,
    "validation.assert.invalid_filters", 83951629, 400,
      "Invalid filters validator: %s",
      NULL)

KZ_ERROR(VALIDATION_ASSERT_INCORRECT_VALIDATION_FORMAT,
    "validation.assert.incorrect_validation_format", 83951630, 500,
      "Incorrect validation format stored for collection \"%s\": "
      "missing \"%s\" property.",
      NULL)

KZ_ERROR(VALIDATION_TYPES_INVALID_DATE_FORMAT,
    "validation.types.invalid_date_format", 84017153, 412,
      "The following date types are invalid: %s.",
      NULL)

KZ_ERROR(VALIDATION_TYPES_INVALID_DATE,
    "validation.types.invalid_date", 84017154, 412,
      "Cannot parse the date value: \"%s\".",
      NULL)

KZ_ERROR(VALIDATION_TYPES_MISSING_ENUM_VALUES,
    "validation.types.missing_enum_values", 84017155, 412,
      "The \"enum\" type requires a \"values\" property holding the "
      "list of the enum values.",
      NULL)

KZ_ERROR(VALIDATION_TYPES_INVALID_GEOSHAPE,
    "validation.types.invalid_geoshape", 84017156, 412,
      "The following shapes are invalid: %s.",
      NULL)

KZ_ERROR(VALIDATION_TYPES_MISSING_TYPE_NAME,
    "validation.types.missing_type_name", 84017157, 500,
      "Missing property \"typeName\"",
      NULL)

KZ_ERROR(VALIDATION_TYPES_MISSING_FUNCTION,
    "validation.types.missing_function", 84017158, 500,
      "The type \"%s\" must implement a function \"%s\".",
      NULL)

KZ_ERROR(VALIDATION_TYPES_ALREADY_EXISTS,
    "validation.types.already_exists", 84017159, 500,
      "The type \"%s\" already exists.",
      NULL)

KZ_ERROR(VALIDATION_CHECK_FAILED_DOCUMENT,
    "validation.check.failed_document", 84082689, 400,
      "Failed to validate document: %s",
      NULL)

KZ_ERROR(VALIDATION_CHECK_FAILED_FIELD,
    "validation.check.failed_field", 84082690, 400,
      "Validation failed. Field \"%s\": %s",
      NULL)

KZ_ERROR(PROTOCOL_RUNTIME_INVALID_CONNECTION,
    "protocol.runtime.invalid_connection", 100728833, 500,
      "Invalid connection: %s (missing id or protocol)",
      NULL)

KZ_ERROR(PROTOCOL_RUNTIME_UNKNOWN_CONNECTION,
    "protocol.runtime.unknown_connection", 100728834, 500,
      "Unable to remove connection - unknown connection identifier: %s",
      NULL)

KZ_ERROR(PROTOCOL_RUNTIME_ALREADY_EXISTS,
    "protocol.runtime.already_exists", 100728835, 500,
      "A protocol of the same name already exists: %s",
      NULL)

KZ_ERROR(TOKEN_INVALID,
    "security.token.invalid", 117506049, 401,
      "Invalid token.",
      NULL)

KZ_ERROR(TOKEN_UNKNOWN_USER,
    "security.token.unknown_user", 117506050, 500,
      "Unknown User : cannot generate token",
      NULL)

KZ_ERROR(TOKEN_UNKNOWN_CONNECTION,
    "security.token.unknown_connection", 117506051, 500,
      "Unknown connection : cannot generate token",
      NULL)

KZ_ERROR(TOKEN_TTL_EXCEEDED,
    "security.token.ttl_exceeded", 117506052, 400,
      "expiresIn value exceeds maximum allowed value",
      NULL)

KZ_ERROR(TOKEN_GENERATION_FAILED,
    "security.token.generation_failed", 117506053, 500,
      "Error while generating token: %s",
      NULL)

KZ_ERROR(TOKEN_EXPIRED,
    "security.token.expired", 117506054, 401,
      "Token expired",
      NULL)

KZ_ERROR(TOKEN_VERIFICATION_ERROR,
    "security.token.verification_error", 117506055, 500,
      "Error verifying token: %s",
      NULL)

KZ_ERROR(TOKEN_REFRESH_FORBIDDEN,
    "security.token.refresh_forbidden", 117506056, 401,
      "%s cannot be refreshed.",
      NULL)

KZ_ERROR(TOKEN_INVALID_EXPIRATION,
    "security.token.invalid_expiration", 117506057, 400,
      "Token can not be created with this expiration time: %s",
      NULL)

KZ_ERROR(CREDENTIALS_UNKNOWN_STRATEGY,
    "security.credentials.unknown_strategy", 117571585, 400,
      "Unknown authentication strategy \"%s\"",
      NULL)

KZ_ERROR(CREDENTIALS_DATABASE_INCONSISTENCY,
    "security.credentials.database_inconsistency", 117571586, 500,
      "Internal database inconsistency detected: existing credentials "
      "found on non-existing user %s.",
      NULL)

KZ_ERROR(CREDENTIALS_REJECTED,
    "security.credentials.rejected", 117571587, 400,
      "Credentials rejected: %s",
      NULL)

KZ_ERROR(RIGHTS_UNAUTHORIZED,
    "security.rights.unauthorized", 117637121, 401,
      "Unauthorized: authentication required.",
      "Unauthorized: authentication required to execute the action "
      "\"%s:%s\".")

KZ_ERROR(RIGHTS_FORBIDDEN,
    "security.rights.forbidden", 117637122, 403,
      "Insufficient permissions to execute this action.",
      "Insufficient permissions to execute the action \"%s:%s\" (User "
      "\"%s\").")

KZ_ERROR(RIGHTS_FAILSAFE_MODE_ADMIN_ONLY,
    "security.rights.failsafe_mode_admin_only", 117637123, 403,
      "Only administrators (\"admin\" profile) can use the API in "
      "failsafe mode.",
      NULL)

KZ_ERROR(USER_ALREADY_EXISTS,
    "security.user.already_exists", 117702657, 412,
      "User %s already exists.",
      NULL)

KZ_ERROR(USER_NOT_FOUND,
    "security.user.not_found", 117702658, 404,
      "User \"%s\" not found.",
      NULL)

KZ_ERROR(USER_ANONYMOUS_PROFILE_REQUIRED,
    "security.user.anonymous_profile_required", 117702659, 400,
      "The anonymous user must be assigned to the anonymous profile",
      NULL)

KZ_ERROR(USER_CANNOT_HYDRATE,
    "security.user.cannot_hydrate", 117702660, 500,
      "Unable to hydrate the user \"%s\": missing profile(s) in the "
      "database",
      NULL)

KZ_ERROR(USER_UNINITIALIZED,
    "security.user.uninitialized", 117702661, 500,
      "Cannot get profiles for uninitialized user \"%s\"",
      NULL)

KZ_ERROR(USER_PREVENT_OVERWRITE,
    "security.user.prevent_overwrite", 117702662, 400,
      "Cannot overwrite existing users.",
      NULL)

KZ_ERROR(USER_NO_PROFILE,
    "security.user.no_profile", 117702663, 500,
      "Cannot load user \"%s\": there is no security profiles "
      "associated to it",
      NULL)

KZ_ERROR(ROLE_NOT_FOUND,
    "security.role.not_found", 117768193, 404,
      "Role \"%s\" not found.",
      NULL)

KZ_ERROR(ROLE_LOGIN_REQUIRED,
    "security.role.login_required", 117768194, 400,
      "Cannot remove the \"login\" action from the anonymous role.",
      NULL)

KZ_ERROR(ROLE_CANNOT_DELETE,
    "security.role.cannot_delete", 117768195, 400,
      "The following roles are protected and cannot be deleted: "
      "anonymous, default, admin",
      NULL)

KZ_ERROR(ROLE_IN_USE,
    "security.role.in_use", 117768196, 412,
      "The role \"%s\" is still used and cannot be deleted.",
      NULL)

KZ_ERROR(ROLE_UNINITIALIZED,
    "security.role.uninitialized", 117768197, 500,
      "Cannot check permissions on the uninitialized role \"%s\"",
      NULL)

KZ_ERROR(ROLE_INVALID_RIGHTS,
    "security.role.invalid_rights", 117768198, 400,
      "Invalid rights for role \"%s\" (path: \"%s\"): %s",
      NULL)

KZ_ERROR(ROLE_CLOSURE_EXEC_FAILED,
    "security.role.closure_exec_failed", 117768199, 400,
      "Invalid definition for [%s, %s]: %s",
      NULL)

KZ_ERROR(ROLE_CLOSURE_MISSING_TEST,
    "security.role.closure_missing_test", 117768200, 400,
      "Missing or malformed \"test\" attribute  for role %s (%s) : %s",
      NULL)

KZ_ERROR(ROLE_UNKNOWN_CONTROLLER,
    "security.role.unknown_controller", 117768201, 400,
      "Trying to set role %s with a non-existing controller '%s'. %s",
      NULL)

KZ_ERROR(ROLE_UNKNOWN_ACTION,
    "security.role.unknown_action", 117768202, 400,
      "Trying to set role %s with a non-existing action '%s' in "
      "controller '%s'. %s",
      NULL)

KZ_ERROR(PROFILE_NOT_FOUND,
    "security.profile.not_found", 117833729, 404,
      "Profile \"%s\" not found.",
      NULL)

KZ_ERROR(PROFILE_CANNOT_DELETE,
    "security.profile.cannot_delete", 117833730, 400,
      "The following profiles are protected and cannot be deleted: "
      "anonymous, default, admin",
      NULL)

KZ_ERROR(PROFILE_IN_USE,
    "security.profile.in_use", 117833731, 412,
      "The profile \"%s\" is still used and cannot be deleted.",
      NULL)

KZ_ERROR(PROFILE_CANNOT_HYDRATE,
    "security.profile.cannot_hydrate", 117833732, 500,
      "Unable to hydrate the profile \"%s\": missing role(s) in the "
      "database",
      NULL)

KZ_ERROR(PROFILE_MISSING_ANONYMOUS_ROLE,
    "security.profile.missing_anonymous_role", 117833733, 400,
      "The anonymous profile must include the anonymous role",
      NULL)

KZ_ERROR(PROFILE_UNINITIALIZED,
    "security.profile.uninitialized", 117833734, 500,
      "Cannot get roles for uninitialized profile \"%s\"",
      NULL)

KZ_ERROR(COOKIE_INVALID,
    "security.cookie.invalid", 117899265, 401,
      "Invalid cookie.",
      NULL)

KZ_ERROR(COOKIE_UNSUPPORTED,
    "security.cookie.unsupported", 117899266, 500,
      "Cookie authentication not supported.",
      NULL)

KZ_ERROR(FATAL_DESYNC,
    "cluster.fatal.desync", 134217729, 500,
      "Caught a desync error: %s.",
      NULL)

/* Our own: conditions the originals do not have. */

KZ_ERROR(PROCESS_NOT_IMPLEMENTED,
    "api.process.not_implemented", 33685744, 501,
      "The API action \"%s\":\"%s\" is not implemented by this server.",
      NULL)

KZ_ERROR(REALTIME_UNAVAILABLE,
    "core.realtime.unavailable", 65776, 503,
      "Subscriptions are refused: the data directory belongs to another "
      "server, whose changes are not heard here.",
      NULL)

KZ_ERROR(STORAGE_UNAVAILABLE,
    "services.storage.unavailable", 16843008, 503,
      "The storage writer did not take the request in time: "
      "nothing was written.",
      NULL)

KZ_ERROR(STORAGE_NO_ANSWER,
    "services.storage.no_answer", 16843009, 503,
      "The storage writer did not answer in time: "
      "the request may have been executed or not.",
      NULL)

KZ_ERROR(STORAGE_QUERY_TIMEOUT,
    "services.storage.query_timeout", 16843010, 504,
      "The query took longer than its time budget (%s ms).",
      NULL)

KZ_ERROR(STORAGE_FAILED,
    "services.storage.failed", 16843011, 500,
      "The storage reported an error: %s.",
      NULL)

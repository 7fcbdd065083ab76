# Loading, configuration, refusals of "nginx -t".

use Cwd ();
use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: loaded but not configured, the module changes nothing
--- no_kuzzle_block
--- config
location / {
    return 200 "plain";
}
--- request
GET /
--- response_body chomp
plain
--- no_error_log
kuzzle


=== TEST 2: one directive is enough
--- config
location / {
    kuzzle;
}
--- request
GET /_now
--- kuzzle_reply
{"status":200,"result":{"now":"*number"}}


=== TEST 3: a location beside it is left alone
--- config
location / {
    kuzzle;
}
location /plain {
    return 200 "plain";
}
--- request
GET /plain
--- response_body chomp
plain


=== TEST 4: an unknown directive in the block names file, line and directive
--- kuzzle_config
    nonsense 1;
--- must_die
--- error_log eval
qr/unknown directive "nonsense" in .*nginx\.conf:\d+/
--- shutdown_error_log eval
qr/emerg/


=== TEST 5: a directive of the block is unknown outside of it
--- main_config
kuzzle { data $TEST_NGINX_DATA_DIR; }
store_timeout 5s;
--- must_die
--- error_log eval
qr/"store_timeout" directive is not allowed here in .*nginx\.conf:\d+/
--- shutdown_error_log eval
qr/emerg/


=== TEST 6: a second block
--- main_config
kuzzle { data $TEST_NGINX_DATA_DIR; }
kuzzle { data $TEST_NGINX_DATA_DIR; }
--- must_die
--- error_log eval
qr/"kuzzle" directive is duplicate in .*nginx\.conf:\d+/
--- shutdown_error_log eval
qr/emerg/


=== TEST 7: a value out of bounds
--- kuzzle_config
    threads 0;
--- must_die
--- error_log eval
qr/value must be between 1 and 64 in .*nginx\.conf:\d+/
--- shutdown_error_log eval
qr/emerg/


=== TEST 8: an unknown API generation
--- config
location / {
    kuzzle;
    kuzzle_api 3;
}
--- must_die
--- error_log eval
qr/invalid value "3" in .*nginx\.conf:\d+/
--- shutdown_error_log eval
qr/emerg/


=== TEST 9: a request size beyond what is supported
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 5m;
}
--- must_die
--- error_log eval
qr/"kuzzle_max_request_size" directive must be between 1k and 4m in .*:\d+/
--- shutdown_error_log eval
qr/emerg/


=== TEST 10: a bus too small for the largest change is refused, with the place
--- kuzzle_config
    bus_size 1m;
--- must_die
--- error_log eval
qr/"bus_size" must be at least 16m in .*nginx\.conf:\d+/
--- shutdown_error_log eval
qr/emerg/


=== TEST 11: kuzzle_mqtt says that it is not there yet
--- main_config
kuzzle { data $TEST_NGINX_DATA_DIR; }
stream {
    server {
        listen 127.0.0.1:1;
        kuzzle_mqtt;
    }
}
--- must_die
--- error_log eval
qr/"kuzzle_mqtt" directive is not supported by this version of the module/
--- shutdown_error_log eval
qr/emerg/


=== TEST 12: kuzzle without kuzzle { } uses the default directory beside nginx's own
--- no_kuzzle_block
--- config
location / {
    return 200 "ok";
}
--- request
GET /
--- error_code: 200


=== TEST 13: the log variables of a query
--- http_config
log_format kz '$kuzzle_controller:$kuzzle_action:$kuzzle_status';
--- config
location / {
    kuzzle;
    access_log logs/kz.log kz;
}
location /log {
    alias logs/;
}
--- request eval
["GET /_now", "GET /nope", "POST /nyc/_create", "GET /log/kz.log"]
--- error_code eval
[200, 404, 200, 200]
--- response_body_like eval
[qr/now/, qr/url_not_found/, qr/acknowledged/,
 qr/^server:now:200\n-:-:404\nindex:create:200\n/]


=== TEST 14: loaded before the stream module, kuzzle_mqtt says what is wrong
--- no_kuzzle
--- main_config eval
my $so = $ENV{TEST_NGINX_MODULE} || Cwd::abs_path('build/ngx_kuzzle_module.so');
my $stream = $ENV{TEST_NGINX_STREAM_MODULE}
    || '/usr/lib/nginx/modules/ngx_stream_module.so';
"load_module $so;\nload_module $stream;
stream {
    server {
        listen 127.0.0.1:1;
        kuzzle_mqtt;
    }
}\n"
--- must_die
--- error_log eval
qr/"kuzzle_mqtt" directive needs ngx_stream_module\.so loaded before this module in .*nginx\.conf:\d+/
--- shutdown_error_log eval
qr/emerg/


=== TEST 15: without the stream module it loads, and serves
--- no_kuzzle
--- main_config eval
my $so = $ENV{TEST_NGINX_MODULE} || Cwd::abs_path('build/ngx_kuzzle_module.so');
"load_module $so;\nkuzzle { data $ENV{TEST_NGINX_DATA_DIR}; }\n"
--- config
location / {
    kuzzle;
}
--- request
GET /_now
--- kuzzle_reply
{"status":200}


=== TEST 16: a data directory that cannot be made is refused, with the place
--- main_config
kuzzle { data /proc/nothing/here; }
--- must_die
--- error_log eval
qr/the data directory "\/proc\/nothing\/here" cannot be made.*nginx\.conf:\d+/
--- shutdown_error_log eval
qr/emerg/

#!/bin/sh
# clang-tidy and cppcheck over all sources; the arguments are the core's
# compiler flags.  The glue needs nginx's headers: build first.

set -eu

core=$(ls ngx_cardfeed_module/cardfeed_*.c check/*.c)
glue=$(ls ngx_cardfeed_module/ngx_*.c)

nginx=build/nginx
nginx_includes="-isystem $nginx/src/core -isystem $nginx/src/event \
 -isystem $nginx/src/event/modules -isystem $nginx/src/os/unix \
 -isystem $nginx/objs -isystem $nginx/src/http \
 -isystem $nginx/src/http/modules -isystem $nginx/src/http/v2"

status=0

# shellcheck disable=SC2086
clang-tidy --quiet $core -- "$@" 2>build/lint.log || status=1

# shellcheck disable=SC2086
clang-tidy --quiet $glue -- -Iinclude -Ingx_cardfeed_module \
    -I/usr/include/libxml2 $nginx_includes 2>>build/lint.log || status=1

# shellcheck disable=SC2086
cppcheck --quiet --std=c11 --enable=warning,performance,portability \
    --inline-suppr --error-exitcode=1 --suppress=missingIncludeSystem \
    -Iinclude -Ingx_cardfeed_module $core || status=1

exit $status

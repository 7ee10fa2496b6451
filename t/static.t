#!/usr/bin/perl

# The module compiled into nginx itself (--add-module) serves as the dynamic
# one does: built from Debian's sources of nginx, without its gzip module, then
# tried with some of the tests.

use strict;
use warnings;

use Test::More;

my $dir = 'build/static';
my $nginx = "$dir/objs/nginx";

plan skip_all => 'nginx\'s sources cannot be fetched here'
    if system("sh build-aux/fetch-nginx.sh build/source"
        . ' >build/source.log 2>&1');

plan tests => 7;

SKIP: {
    my $configured = run('configure', <<'END');
        mkdir -p build/static && cd build/source/nginx &&
        ./configure --builddir=../../static/objs --prefix=/nonexistent \
            --with-http_v2_module --with-http_ssl_module --with-debug \
            --without-http_gzip_module --add-module=../../..
END

    ok($configured, 'configure takes it with --add-module');
    skip 'not configured', 6 unless $configured;

    my $built = run('make', <<'END');
        make -s -j2 -C build/source/nginx -f ../../static/objs/Makefile
END

    ok($built, 'nginx builds with it');
    skip 'not built', 5 unless $built;

    like(`$nginx -V 2>&1`, qr/--add-module=/, 'and says so');

    local $ENV{CARDFEED_NGINX} = $nginx;
    local $ENV{CARDFEED_MODULE} = 'static';

    for my $test (qw(basic urls live encoding)) {
        my $out = `$^X t/$test.t 2>&1`;
        is($?, 0, "$test.t holds with it") or diag($out);
    }
}


sub run {
    my ($what, $command) = @_;

    my $log = "build/static-$what.log";

    return 1 unless system("( $command ) >$log 2>&1");

    diag(`tail -n 20 $log`);
    return 0;
}

# Behind nginx's doors: auth_basic, allow and deny, satisfy, auth_request,
# limit_req; what they open is not for shared caches.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(
    http => 'limit_req_zone $binary_remote_addr zone=once:1m rate=1r/m;',
    server => <<'CONF');
auth_basic_user_file {{DIR}}/users;

location /secret/ {
    auth_basic "secret";
    cardfeed news;
}
location /denied/ {
    deny all;
    cardfeed news;
}
location /allowed/ {
    allow 127.0.0.1;
    deny all;
    cardfeed news;
}
location /any/ {
    satisfy any;
    deny all;
    auth_basic "secret";
    cardfeed news;
}
location /here/ {
    satisfy any;
    allow 127.0.0.1;
    deny all;
    auth_basic "secret";
    cardfeed news;
}
location /all/ {
    satisfy all;
    deny 127.0.0.1;
    auth_basic "secret";
    cardfeed news;
}
location /limited/ {
    limit_req zone=once;
    cardfeed news;
}
CONF
$t->{server} .= <<'CONF' if $t->has('auth_request');
location /asked/ {
    auth_request /ask;
    cardfeed news;
}
location = /ask {
    internal;
    if ($http_x_key = good) {
        return 204;
    }
    return 401;
}
CONF

$t->card('one.md', {title => 'one', date => '2021-01-01', topics => ['A'],
    webUrl => 'https://example.org/one'});
# reader:word
open my $users, '>', $t->dir . '/users' or die $!;
print {$users} "reader:{PLAIN}word\n";
close $users;
$t->start;

my %reader = (Authorization => 'Basic cmVhZGVyOndvcmQ=');
my %stranger = (Authorization => 'Basic cmVhZGVyOndyb25n');

sub is_private {
    my ($res, $what) = @_;

    is $res->status, 200, "$what: 200" or return;
    is_deeply [$res->headers('Cache-Control')], ['private, max-age=300'],
        "$what: not for shared caches";
    return like $res->body, qr/>one</, "$what: the feed";
}

sub is_refused {
    my ($res, $status, $what) = @_;

    is $res->status, $status, "$what: $status";
    is $res->header($_), undef, "$what: without $_"
        for qw(ETag Last-Modified Link);
    unlike $res->header('Cache-Control') // '', qr/public|max-age/,
        "$what: nothing about freshness";
    return unlike $res->body, qr/one/, "$what: not the feed";
}

# --- auth_basic; also when a response is in the cache, and for a revalidation

is_refused($t->get('/secret/all.rss'), 401, 'no credentials');
is_private($t->get('/secret/all.rss', %reader), 'credentials');
is_private($t->get('/secret/all.rss', %reader), 'credentials again');
is_refused($t->get('/secret/all.rss'), 401, 'none, after they were given');
is_refused($t->get('/secret/all.rss', %stranger), 401, 'wrong ones');
is_refused($t->get('/secret/all.rss', 'If-None-Match' => '*'), 401,
    'none, with *');
is_refused($t->get('/secret/'), 401, 'the catalogue');
is_refused($t->get('/secret/nothing.rss'), 401, 'what does not exist');
like $t->get('/secret/all.rss')->header('WWW-Authenticate'),
    qr/^Basic realm="secret"/, 'which ones are wanted';

my $etag = $t->get('/secret/all.rss', %reader)->header('ETag');
my $res = $t->get('/secret/all.rss', %reader, 'If-None-Match' => $etag);
is $res->status, 304, 'a revalidation with credentials';
is_deeply [$res->headers('Cache-Control')], ['private, max-age=300'],
    'is as private';
is $t->head('/secret/all.rss', %reader)->header('Cache-Control'),
    'private, max-age=300', 'and so is HEAD';
is $t->get('/secret/nothing.rss', %reader)->status, 404, 'they see a 404';

# Credentials nobody asked for: what took them is not for others.
is $t->get('/feeds/all.rss')->header('Cache-Control'), 'public, max-age=300',
    'without credentials: public';
is_private($t->get('/feeds/all.rss', %reader), 'credentials for an open feed');
is $t->get('/feeds/all.rss')->header('Cache-Control'), 'public, max-age=300',
    'and public again';

# --- allow, deny, satisfy

is_refused($t->get('/denied/all.rss'), 403, 'deny');
is $t->get('/allowed/all.rss')->status, 200, 'allow';
is_refused($t->get('/any/all.rss'), 401, 'satisfy any: neither');
is_private($t->get('/any/all.rss', %reader), 'satisfy any: credentials');
is $t->get('/here/all.rss')->status, 200, 'satisfy any: the address';
is_refused($t->get('/all/all.rss', %reader), 403, 'satisfy all: one of two');

# --- auth_request

SKIP: {
    skip 'nginx has no auth_request module', 1 unless $t->has('auth_request');

    is_refused($t->get('/asked/all.rss'), 401, 'auth_request: no');
    is $t->get('/asked/all.rss', 'X-Key' => 'good')->status, 200,
        'auth_request: yes';
}

# --- limit_req: nginx's 503 is not ours

is $t->get('/limited/all.rss')->status, 200, 'limit_req: the first one';
$res = $t->get('/limited/all.rss');
is_refused($res, 503, 'limit_req: the second one');
is $res->header('Retry-After'), undef, 'limit_req: no promise of ours';

$t->finish;

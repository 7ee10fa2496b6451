# Among nginx's own: error pages, expires, authorization, if, limit_except,
# prefixes without a slash, long requests; an index that cannot be made.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(location => 'error_page 404 = @all;
        error_page 405 = /other/;',
    http => 'gzip_types application/rss+xml;
        large_client_header_buffers 4 64k;',
    server => <<'CONF');
location @all {
    cardfeed news;
    cardfeed_format rss;
}
location /other/ {
    return 405;
}
location /expires/ {
    cardfeed news;
    expires 1h;
}
location /secret/ {
    auth_basic "secret";
    auth_basic_user_file users;
    cardfeed news;
}
location /noslash {
    cardfeed news;
}
location /if/ {
    cardfeed news;
    if ($arg_short) {
        set $short 1;
    }
}
location /except/ {
    cardfeed news;
    limit_except GET {
        deny all;
    }
}
location /vary/ {
    cardfeed news;
    gzip on;
    gzip_vary on;
    gzip_min_length 1;
}
location ~ ^/any/(?<any>.*)$ {
    cardfeed news;
    cardfeed_format rss;
}
CONF

$t->card('one.md', {title => 'one', date => '2021-01-01', topics => ['A'],
    webUrl => 'https://example.org/one'});
open my $users, '>', $t->dir . '/users' or die $!;
print {$users} "reader:{PLAIN}word\n";
close $users;
$t->start;

# --- an error page of ours

my $res = $t->get('/feeds/nothing.rss');
is $res->status, 200, 'a feed as an error page';
is_deeply [$res->headers('Cache-Control')], ['public, max-age=300'],
    'with its own freshness alone';
is scalar @{rss($res->body)->{items}}, 1, 'and its cards';
is_deeply [$t->request('POST', '/feeds/all.rss')->headers('Allow')],
    ['GET, HEAD'], 'Allow on an error page';

# --- expires, authorization

$res = $t->get('/expires/all.rss');
is_deeply [$res->headers('Cache-Control')], ['max-age=3600'],
    'expires has the last word';
is $t->get('/secret/all.rss')->status, 401, 'credentials are asked for';
$res = $t->get('/secret/all.rss',
    Authorization => 'Basic cmVhZGVyOndvcmQ=');
is $res->status, 200, 'and taken';
like $res->header('Cache-Control'), qr/^private,/,
    'what they open is not for shared caches';

# --- Vary once, compressed or not, and on 304

for my $encoding ('gzip', 'identity') {
    $res = $t->get('/vary/all.rss', 'Accept-Encoding' => $encoding);
    is_deeply [$res->headers('Vary')], ['Accept-Encoding'], "$encoding: Vary";
    my $same = $t->get('/vary/all.rss', 'Accept-Encoding' => $encoding,
        'If-None-Match' => $res->header('ETag'));
    is $same->status, 304, "$encoding: 304";
    is_deeply [$same->headers('Vary')], ['Accept-Encoding'],
        "$encoding: Vary on it";
}

# --- locations

is $t->get('/noslash/all.rss')->status, 200, 'a prefix without a slash';
is $t->get('/noslashall.rss')->status, 404, 'is none in mid-word';
is $t->get('/if/all.rss?short=1')->status, 200, 'inside an if';
is $t->get('/except/all.rss')->status, 200, 'GET inside limit_except';
is $t->request('POST', '/except/all.rss')->status, 403, 'POST there';

# --- long requests are answered, and self links are the path asked for

is $t->get('/feeds/all.rss?trace=' . 'x' x 5000)->status, 200,
    'a long unknown argument';
is $t->get('/any/' . "\xe4" x 20_000)->status, 200, 'a long path';
is rss($t->get("/any//a/../b'(c)@;=:d/x.xml")->body)->{links}{self},
    $t->base . "/any/b'(c)@;=:d/x.xml", 'normalised, legal bytes as they are';

# --- an index that cannot be made

$t->stop;
rename $t->dir . '/index', $t->dir . '/kept' or die $!;
open my $file, '>', $t->dir . '/index' or die $!;
close $file;
my $owner = (stat $t->dir . '/index')[4];
$t->start(ready => 0);
wait_for(sub { ($t->get('/feeds/all.rss')->status // 0) == 503 },
    'without an index directory feeds are 503 and nginx runs');
ok scalar($t->log_lines(qr/is not a directory/)), 'and the log says why';
is +(stat $t->dir . '/index')[4], $owner, 'what is there is left alone';
unlink $t->dir . '/index' or die $!;
rename $t->dir . '/kept', $t->dir . '/index' or die $!;
wait_for(sub { $t->get('/feeds/all.rss')->status == 200 },
    'it is tried again', 15);

$t->finish;

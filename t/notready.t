# 503 until the first scan is done; a directory that is not there yet, or
# goes.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(absent => 1, server => <<'CONF');
location @elsewhere {
    return 200 "elsewhere\n";
}
location /fallback/ {
    cardfeed news;
    error_page 503 = @elsewhere;
}
location /page/ {
    cardfeed news;
    error_page 503 /503.txt;
}
location = /503.txt {
    alias {{DIR}}/503.txt;
}
CONF
my $content = $t->content;

sub card {
    my ($title, $date) = @_;
    return ("$title.md", {title => $title, date => $date,
        topics => ['Late'], webUrl => "https://example.org/$title"});
}

$t->start(ready => 0);
my $mark = 0;
$t->wait_log(qr/\[(?:warn|error)\].*\Q$content\E/,
    'a directory that is not there is reported');

for my $uri (qw(/feeds/all.rss /feeds/late.atom /feeds/all.json
    /feeds/nothing.rss)) {
    for my $method (qw(GET HEAD)) {
        my $res = $t->request($method, $uri);
        is $res->status, 503, "$method $uri: 503";
        like $res->header('Retry-After') // '', qr/^(?:[1-9]|[12]\d|30)$/,
            "$method $uri: try again soon";
        unlike $res->header('Cache-Control') // '', qr/public|max-age=[1-9]/,
            "$method $uri: not for a cache";
        is $res->header('ETag'), undef, "$method $uri: no ETag";
    }
}

# a page of the site may say so, or something else be there instead
open my $fh, '>', $t->dir . '/503.txt' or die $!;
print {$fh} "later\n";
close $fh;
my $res = $t->get('/page/all.rss');
is $res->status, 503, 'a page for it: 503';
is $res->body, "later\n", 'a page for it: is sent';
is_deeply [map { $res->headers($_) } qw(Retry-After Cache-Control)],
    [5, 'no-store'], 'a page for it: try again soon, not for a cache';
$res = $t->get('/fallback/all.rss');
is $res->status, 200, 'something else instead: 200';
is $res->body, "elsewhere\n", 'something else instead: is sent';
is_deeply [map { $res->headers($_) } qw(Retry-After Cache-Control)], [],
    'something else instead: no promise of ours';

is $t->request('POST', '/feeds/all.rss')->status, 405, 'POST: 405 already';

$t->card(card('one', '2021-01-01'));
$t->wait_titles('all', 'one', 'it appears: it is served');
$t->card(card('two', '2021-01-02'));
$t->wait_titles('all', 'two one', 'and watched');

# --- it goes: what was there is served on

rename $content, "$content.away" or die $!;
$t->wait_log(qr/\[(?:warn|error)\].*\Q$content\E/, 'it goes', $t->mark);
is $t->titles('all'), 'two one', 'gone: its cards are served on';
rename "$content.away", $content or die $!;
$t->card(card('three', '2021-01-03'));
$t->wait_titles('all', 'three two one', 'back: and watched');

# --- another one in its place, as deployments do

mkdir "$content.next" or die $!;
{
    local $t->{content} = "$content.next";
    $t->card(card('four', '2021-01-04'));
    $t->card(card('two', '2021-01-02'));
}
rename $content, "$content.old" or die $!;
rename "$content.next", $content or die $!;
$t->wait_titles('all', 'four two', 'another directory in its place');
$t->card(card('five', '2021-01-05'));
$t->wait_titles('all', 'five four two', 'and watched');

# --- absent at a start with an index: the index serves

is $t->stop, 0, 'stopped';
rename $content, "$content.away" or die $!;
$t->start(ready => 0);
is $t->titles('all'), 'five four two', 'absent at a start: the index serves';
rename "$content.away", $content or die $!;
$t->card(card('six', '2021-01-06'));
$t->wait_titles('all', 'six five four two', 'it appears');

$t->finish;

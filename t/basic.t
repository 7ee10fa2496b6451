# Feeds of all cards and of a topic, in both formats; status codes; HEAD.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new;

$t->card('a/old.md', {title => 'Old', date => '2020-01-02T03:04:05Z',
    topics => ['Garden Tools'], webUrl => 'https://example.org/old'});
$t->card('b/new.md', {title => 'New', date => '2021-01-02T03:04:05Z',
    topics => ['Soil', 'Garden Tools'], webUrl => 'https://example.org/new'});
$t->card('mid.html', {title => 'Middle & "more" <b>',
    date => '2020-07-01', excerpt => 'AT&amp;T &#8217;s <b>',
    topics => ['Soil'], webUrl => 'https://example.org/mid?a=1&b=2'});
$t->file('notes.md', "no front matter, no card\n");
$t->start;

my %type = (rss => 'application/rss+xml', atom => 'application/atom+xml',
    json => 'application/feed+json');
my %read = (rss => \&rss, atom => \&atom, json => \&json);
my %titles = (
    all => ['New', 'Middle & "more" <b>', 'Old'],
    'garden-tools' => ['New', 'Old'],
    soil => ['New', 'Middle & "more" <b>'],
);

for my $sel (sort keys %titles) {
    for my $format (qw(rss atom json)) {
        my $res = $t->get("/feeds/$sel.$format");
        is $res->status, 200, "$sel.$format: 200";
        like $res->header('Content-Type'),
            qr/^\Q$type{$format}\E; ?charset=utf-8$/i,
            "$sel.$format: its content type";
        is $res->header('Content-Length'), length $res->body,
            "$sel.$format: its length";
        my $feed = $read{$format}->($res->body);
        is_deeply [map { $_->{title} } @{$feed->{items} // $feed->{entries}}],
            $titles{$sel}, "$sel.$format: its cards, newest first";
        is $feed->{links}{self}, $t->base . "/feeds/$sel.$format",
            "$sel.$format: its self link";
    }
}

my $mid = rss($t->get('/feeds/soil.rss')->body)->{items}[1];
is $mid->{link}, 'https://example.org/mid?a=1&b=2', 'a link is itself';
is $mid->{description}, "AT&amp;T \x{2019}s &lt;b&gt;",
    'an excerpt in RSS is escaped HTML';
is $mid->{pubDate}, 'Wed, 01 Jul 2020 00:00:00 GMT', 'a date in RSS';
$mid = atom($t->get('/feeds/soil.atom')->body)->{entries}[1];
is $mid->{summary}, "AT&T \x{2019}s <b>", 'an excerpt in Atom is text';
is $mid->{published}, '2020-07-01T00:00:00Z', 'a date in Atom';

for my $uri (qw(/feeds/nothing.rss /feeds/nothing.atom /feeds/nothing.json
    /feeds/all.xyz
    /feeds/all /feeds/all. /feeds/.rss /feeds/a/all.rss /feeds/all.rss/x
    /feeds/%00.rss /feeds/%FF%FE.rss /feeds/garden%20tools.rss))
{
    my $res = $t->get($uri);
    like $res->status, $uri =~ /%00/ ? qr/^40[04]$/ : qr/^404$/, "$uri: 404";
    unlike $res->header('Cache-Control') // '', qr/public|max-age=[1-9]/,
        "$uri: not for a cache";
}

for my $args (qw(limit=x limit=-1 limit=0 limit= limit=1.5 limit=%zz before=x
    before= before=1 before=99999999999999.0123456789abcdef))
{
    is $t->get("/feeds/all.rss?$args")->status, 400, "$args: 400";
}

my $plain = $t->get('/feeds/all.rss');
for my $args (qw(utm_source=x fbclid & = limits=x a=%zz)) {
    my $res = $t->get("/feeds/all.rss?$args");
    is $res->status, 200, "unknown $args: 200";
    is $res->body, $plain->body, "unknown $args: the same feed";
}

for my $method (qw(POST PUT DELETE OPTIONS PATCH)) {
    is $t->request($method, '/feeds/all.rss')->status, 405, "$method: 405";
}

for my $format (qw(rss atom json)) {
    my $get = $t->get("/feeds/all.$format");
    my $head = $t->head("/feeds/all.$format");
    is $head->status, 200, "HEAD $format: 200";
    is $head->body, '', "HEAD $format: no body";
    is $head->header($_), $get->header($_), "HEAD $format: the same $_"
        for qw(Content-Type Content-Length ETag Cache-Control Vary Link);
}
is $t->head('/feeds/nothing.rss')->status, 404, 'HEAD of nothing: 404';

like $plain->header('Link'),
    qr{^<\Q@{[$t->base]}\E/feeds/all\.rss>; *rel="?self"?$}, 'Link: self';
is $plain->header('Accept-Ranges'), undef, 'no ranges';
is $t->get('/feeds/all.rss', Range => 'bytes=0-9')->status, 200,
    'a range is ignored';

$t->finish;

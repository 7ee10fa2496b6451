# Topics and their slugs; spellings.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Encode qw(encode_utf8);
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $t = Cardfeed::Test->new;

my %slug = (
    'C#' => 'csharp',
    'C++' => 'cplusplus',
    '.NET' => 'dotnet',
    'ASP.NET' => 'asp-net',
    'F#' => 'fsharp',
    '#Portals' => 'portals',
    'Computer Vision' => 'computer-vision',
    '  many -- separators__here!  ' => 'many-separators-here',
    'R&D' => 'r-d',
    'All' => 'topic-all',
    '日本語' => '日本語',
    'Русский Язык' => 'русский-язык',
    'Straße' => 'strasse',
    'ＦＵＬＬ　ｗｉｄｔｈ' => 'full-width',
    "Cafe\x{301}" => 'café',
    'हिन्दी' => 'हिन्दी',
    'ΣΊΣΥΦΟΣ' => 'σίσυφοσ',
    '2024' => '2024',
);

my $n = 0;
sub card {
    my ($topics, $path) = @_;
    ++$n;
    my $title = "t$n";
    $t->card($path // "$n.md", {title => $title, topics => $topics,
        date => rfc3339(1_600_000_000 + 60 * $n),
        webUrl => "https://example.org/$n"});
    return $title;
}

sub url {
    my ($slug) = @_;
    return encode_utf8($slug)
        =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger;
}

my %title = map { $_ => card([$_]) } sort keys %slug;
my $nothing = card(['!!!']);
my $both = card(['!!!', '???']);
$t->start;

for my $name (sort keys %slug) {
    my $uri = '/feeds/' . url($slug{$name}) . '.atom';
    my $res = $t->get($uri);
    is $res->status, 200, "$name is at $uri" or next;
    my $feed = atom($res->body);
    is_deeply [map { $_->{title} } @{$feed->{entries}}], [$title{$name}],
        "$name: its card";
    (my $spelling = $name) =~ s/^\s+|\s+$//g;
    $spelling =~ s/[\s\x{3000}]+/ /g;
    like $feed->{title}, qr/\Q$spelling\E$/, "$name: in the feed's title";
    is $feed->{entries}[0]{labels}[0], $spelling, "$name: as the card has it";
    is $feed->{entries}[0]{terms}[0], $slug{$name}, "$name: its term";
    is $feed->{links}{self}, $t->base . $uri, "$name: a self link of ASCII";
}

# Raw bytes and lower-case escapes reach the same feed.
is $t->get(encode_utf8('/feeds/日本語.atom'))->status, 200, 'raw UTF-8';
is $t->get(lc '/feeds/' . url('日本語') . '.atom')->status, 200,
    'lower-case escapes';
is $t->get("/feeds/$_.atom")->status, 404, "$_ is no slug"
    for qw(CSharp C%23 Computer-Vision computer--vision -csharp csharp-
    computer%20vision %2Enet);

# A name that leaves nothing has a hash; another name another one.
my ($entry) = grep { $_->{title} eq $both }
    @{atom($t->get('/feeds/all.atom')->body)->{entries}};
my ($hash, $other) = @{$entry->{terms}};
like $hash, qr/^topic-[0-9a-f]{8}$/, 'a name that leaves nothing: a hash';
like $other, qr/^topic-[0-9a-f]{8}$/, 'another one too';
isnt $hash, $other, 'and another hash';
is $t->titles($hash), "$both $nothing", 'its feed';

# --- spellings

sub spelled {
    my ($slug) = @_;
    my $res = $t->get("/feeds/$slug.rss");
    return $res->status == 200
        ? rss($res->body)->{title} =~ /: (.*)/ && $1 : $res->status;
}
sub wait_spelled {
    my ($slug, $want, $what) = @_;
    my $have;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for(sub { ($have = spelled($slug)) eq $want }, $what)
        ? pass $what : diag "last seen: $have";
}

my $slug = 'management-tools';
card(['management tools'], 'm1.md');
wait_spelled($slug, 'management tools', 'the only spelling');
card(['Management Tools'], 'm2.md');
wait_spelled($slug, 'Management Tools', 'a tie: bytewise first');
card(['Management tools'], 'm3.md');
wait_for(sub { $t->titles($slug) =~ /(?:\S+ ){2}\S/ }, 'three cards');
is spelled($slug), 'Management Tools', 'a tie of three';
card(['management tools'], 'm4.md');
wait_spelled($slug, 'management tools', 'the most used spelling');
my $feed = rss($t->get("/feeds/$slug.rss")->body);
is_deeply [map { $_->{categories}[0] } @{$feed->{items}}],
    ['management tools', 'Management tools', 'Management Tools',
        'management tools'], 'each card keeps its own';
$t->remove('m4.md');
wait_spelled($slug, 'Management Tools', 'back again');
card(['Management-Tools', 'management tools'], 'm5.md');
wait_spelled($slug, 'Management Tools', 'a card counts once, as its first');
$t->remove("m$_.md") for 1 .. 3;
wait_spelled($slug, 'Management-Tools', 'the last one left');

$t->finish;

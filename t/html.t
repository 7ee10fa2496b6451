# The pages for people, as a browser shows them: on a phone and on a desk, by
# day and by night, with cards that are well or ill meant.

use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib qw(compress crc32);
use Encode qw(encode_utf8);
use Test::More;
use Cardfeed::Browser;
use Cardfeed::Test;

binmode Test::More->builder->$_, ':utf8'
    for qw(output failure_output todo_output);

my $browser = Cardfeed::Browser->new
    // plan skip_all => 'no chromium with a chromedriver here';

my $corpus = Cardfeed::Test->corpus;
my $t = Cardfeed::Test->new(
    location => encode_utf8('cardfeed_entries 20;
        cardfeed_title "The Garden Gate"; cardfeed_rights "© Gardeners";'),
);
my $d = $t->dir;
$t->{http} = "cardfeed_collection many $d/many;"
    . ($corpus ? "cardfeed_collection real \"$corpus\";" : '');
$t->{server} = <<"CONF" . ($corpus ? <<'REAL' : '');
location = / {
    default_type text/html;
    return 200 "<!DOCTYPE html><title>home</title>";
}
location = /favicon.ico { return 204; }
location = /control.html {
    default_type text/html;
    add_header Content-Security-Policy "default-src 'none'; img-src http:";
    return 200 "<!DOCTYPE html><style>body{background:red}</style>
        <body><img src=/img/none.png onerror='window.pwned=1'>
        <script>window.pwned=1</script>";
}
location /img/ { alias $d/img/; }
location /many/ { cardfeed many; }
CONF
location /real/ { cardfeed real; cardfeed_title "Power Apps Every Day"; }
REAL

# --- cards

# An image of one colour.
sub png {
    my ($width, $height) = @_;

    my $chunk = sub {
        my ($type, $data) = @_;
        return pack 'N a4 a* N', length $data, $type, $data,
            crc32("$type$data");
    };
    my $rows = ("\0" . "\x55" x (($width + 7) / 8)) x $height;
    return "\x89PNG\r\n\x1a\n"
        . $chunk->(IHDR => pack 'N N C5', $width, $height, 1, 0, 0, 0, 0)
        . $chunk->(IDAT => compress($rows)) . $chunk->(IEND => '');
}

sub image { return 'http://localhost:' . $t->port . "/img/$_[0]" }

mkdir "$d/$_" or die $! for qw(img many many/a);
my %image = ('wide.png' => png(6000, 600), 'tall.png' => png(200, 4000),
    map { ("$_.png" => png(300, 200)) } 1 .. 60);
for my $name (keys %image) {
    open my $fh, '>:raw', "$d/img/$name" or die $!;
    print {$fh} $image{$name};
    close $fh or die $!;
}

my $words = 'Frost comes back once more before the month is out, so keep the '
    . 'fleece at hand and leave the tender plants where they are. ';
for my $n (1 .. 60) {
    $t->card("bed/$n.md", {title => "What to sow in week $n",
        date => sprintf('2021-%02d-%02dT08:00:00Z', 3 + ($n > 30),
            1 + ($n - 1) % 30),
        excerpt => $words x 2, topics => ['Sowing', 'Vegetables'],
        webUrl => "https://example.org/week/$n",
        provider => {name => 'Kitchen Garden', authors => [{name => 'Ann'}]},
        images => [{url => image("$n.png"), width => 300, height => 200}]});
}

my $script = '<script>window.pwned=1</script>';
my %odd = (
    'wide' => {title => 'A wide picture', image => image('wide.png'),
        excerpt => $words},
    'tall' => {title => 'A tall picture', image => image('tall.png'),
        excerpt => $words},
    'missing' => {title => 'A picture that is not there',
        image => image('none.png'), excerpt => $words},
    'missing-sized' => {title => 'Nor is this one', excerpt => $words,
        images => [{url => image('none.jpg'), width => 9000, height => 9}]},
    'long' => {title => 'Long' . 'word' x 60, excerpt => 'x' x 500,
        webUrl => 'https://example.org/' . 'y' x 500,
        provider => {name => 'Provider' x 30}, topics => ['Odd',
            'Rindfleischetikettierungsüberwachungsaufgabenübertragung' x 2,
            map { "Topic $_" } 1 .. 30],
        image => image('1.png')},
    'download' => {title => 'Plans', type => 'download', actions => [
        {url => 'https://example.org/' . 'z' x 200 . '.pdf',
            type => 'download'}]},
    'arabic' => {title => 'الحديقة في الربيع', topics => ['Odd', 'حديقة'],
        excerpt => 'ازرع البذور في الشهر الأول من السنة.',
        image => image('2.png'), webUrl => 'https://example.org/ar'},
    'japanese' => {title => '春の庭' x 30, topics => ['Odd', '庭'],
        excerpt => '種をまく。' x 40, webUrl => 'https://example.org/ja'},
    'bare' => {title => 'Nothing but a title'},
    'hostile' => {title => "$script<img src=x onerror=window.pwned=1>",
        excerpt => "</p>$script<svg onload=window.pwned=1> \" ' &lt;script"
            . '&gt;window.pwned=1&lt;/script&gt;',
        webUrl => 'javascript:window.pwned=1',
        topics => ['Odd', "\"><script>window.pwned=1</script>"],
        image => image('x" onerror="window.pwned=1'),
        provider => {name => "\" onmouseover=window.pwned=1 $script",
            authors => [{name => $script}]},
        actions => [{url => 'javascript:window.pwned=1', type => 'download'}],
        related => [{title => $script, webUrl => 'javascript:1'}]},
    'hostile-link' => {title => 'Links out of an attribute',
        webUrl => "https://example.org/\"><script>window.pwned=1</script>",
        image => "data:image/svg+xml,$script"},
);
my $n = 0;
$t->card("odd/$_.md", {date => rfc3339(1_500_000_000 - 86_400 * ++$n),
    topics => ['Odd'], %{$odd{$_}}}) for sort keys %odd;
$t->card('gone.md', {title => 'gone', date => '2016-01-01',
    topics => ['Gone']});
for my $card (0 .. 69) {
    open my $fh, '>:raw', "$d/many/a/$card.md" or die $!;
    print {$fh} $t->card_text({title => "Card $card", date => '2021-01-01',
        topics => [map { sprintf 'Topic %03d', $card * 10 + $_ } 0 .. 9]});
    close $fh or die $!;
}

$t->start;
my $base = $t->base;
$t->wait_titles('gone', 'gone', 'a topic');
$t->card('gone.md', {title => 'gone', date => '2016-01-01', draft => 'true'});
$t->wait_titles('gone', '', 'and its last card goes');
for my $other ('/many/', $corpus ? '/real/' : ()) {
    wait_for(sub { $t->get($other)->status != 503 }, "$other is read", 30);
}

# --- what is wrong with a page

my $EXAMINE = <<'JS';
const wrong = [], root = document.documentElement;
const name = e => e.tagName.toLowerCase() + (e.className && '.' + e.className);
const rgb = c => c.match(/[\d.]+/g).map(Number);
const light = c => rgb(c).slice(0, 3).map(v => v / 255).map(v =>
    v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const behind = e => {
    for (; e; e = e.parentElement) {
        const c = rgb(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0)
            return getComputedStyle(e).backgroundColor;
    }
    return 'rgb(255, 255, 255)';
};

if (root.scrollWidth > innerWidth)
    wrong.push(`is ${root.scrollWidth} wide of ${innerWidth}`);
if (innerWidth !== arguments[0])
    wrong.push(`is laid out for ${innerWidth}, not ${arguments[0]}`);

let texts = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (!walker.currentNode.data.trim())
        continue;
    texts++;
    if (!box.width || !box.height)
        wrong.push(`${name(e)} cannot be seen`);
    if (box.left < 0 || box.right > innerWidth + .5)
        wrong.push(`${name(e)} leaves the screen`);
    if (parseFloat(style.fontSize) < 14)
        wrong.push(`${name(e)} is of ${style.fontSize}`);
    const of = [light(style.color), light(behind(e))].sort((a, b) => a - b);
    const contrast = (of[1] + .05) / (of[0] + .05);
    if (contrast < 4.5)
        wrong.push(`${name(e)} has a contrast of ${contrast.toFixed(2)}`);
}
if (!texts)
    wrong.push('has no text');

for (const img of document.images) {
    const box = img.getBoundingClientRect();
    const column = img.closest('article').getBoundingClientRect();
    if (img.loading !== 'lazy')
        wrong.push(`${img.src} is not lazy`);
    if (box.left < column.left - .5 || box.right > column.right + .5
        || box.top < column.top - .5 || box.bottom > column.bottom + .5)
        wrong.push(`${img.src} leaves its column`);
}
for (const e of document.querySelectorAll('nav a, li a')) {
    const box = e.getBoundingClientRect();
    if (box.height < 24)
        wrong.push(`${name(e)} "${e.textContent}" is ${box.height} high`);
}

if (window.pwned !== undefined)
    wrong.push('a script ran');
if (document.scripts.length)
    wrong.push('has a script');
for (const e of document.querySelectorAll('*')) {
    for (const a of e.attributes) {
        if (a.name.startsWith('on') || a.name === 'style')
            wrong.push(`${name(e)} has ${a.name}`);
        if (/^(href|src|action)$/.test(a.name)
            && !/^https?:\/\//.test(a.value))
            wrong.push(`${name(e)} leads to ${a.value}`);
    }
}
return {
    wrong: [...new Set(wrong)],
    background: getComputedStyle(document.body).backgroundColor,
    light: light(getComputedStyle(document.body).backgroundColor),
};
JS

my @SCREENS = (['phone', 360, 740], ['desktop', 1280, 900]);

# Policy violations that the console tells of.
sub refused { grep { /Content.Security.Policy|[Rr]efused|blocked/ } @_ }

# A page on every screen; it is open afterwards.
sub page_ok {
    my ($uri, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $res = $t->get($uri);
    is $res->status, 200, "$what: 200";
    is $res->header('Content-Type'), 'text/html; charset=utf-8',
        "$what: HTML";
    like $res->header('Content-Security-Policy') // '',
        qr/^default-src 'none'; img-src [^;]*; style-src 'sha256-[^;]*';/,
        "$what: a policy";

    $browser->console;
    $browser->go($base . $uri);
    my %light;
    for my $screen (@SCREENS) {
        my ($device, $width, $height) = @$screen;
        for my $scheme (qw(light dark)) {
            $browser->screen($width, $height, $scheme);
            my $seen = $browser->js($EXAMINE, $width);
            is_deeply $seen->{wrong}, [], "$what, $device, $scheme: nothing "
                . 'wrong' or diag join "\n", @{$seen->{wrong}};
            push @{$light{$scheme}}, $seen->{light};
            $browser->screenshot("$what-$device-$scheme" =~ s/\W+/-/gr);
        }
    }
    ok !(grep { $_ < .8 } @{$light{light}}), "$what: light by day";
    ok !(grep { $_ > .05 } @{$light{dark}}), "$what: dark by night";
    is_deeply [refused($browser->console)], [],
        "$what: nothing against its policy";
}

# Every address of the page on this server answers as it should.
sub links_ok {
    my ($what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $links = $browser->js(<<'JS', "$base/");
return [...document.querySelectorAll('[href]')]
    .filter(e => e.href.startsWith(arguments[0]))
    .map(e => [e.href, e.rel === 'alternate' ? e.type : '']);
JS
    my %type = map { $_->[0] => $_->[1] } grep { $_->[1] } @$links;
    my %seen;
    my @bad;
    for my $url (grep { !$seen{$_}++ } map { $_->[0] } @$links) {
        my $res = $t->get($url =~ s/^\Q$base\E//r);
        my $type = $res->header('Content-Type') // '';
        push @bad, "$url: " . $res->status . " $type" if $res->status != 200
            || $type ne ($type{$url} ? "$type{$url}; charset=utf-8" : $type);
    }
    is_deeply \@bad, [], "$what: its " . keys(%seen) . ' addresses answer';
    return sort values %type;
}

# --- the pages

$browser->go("$base/control.html");
ok scalar(refused($browser->console)), 'a violation would be seen';
isnt $browser->js('return window.pwned'), 1, 'and it stopped a script';

page_ok('/feeds/', 'catalogue');
is_deeply [links_ok('catalogue')],
    [qw(application/atom+xml application/feed+json application/rss+xml)],
    'catalogue: autodiscovery of three formats';

page_ok('/feeds/sowing.html', 'topic');
is_deeply [links_ok('topic')],
    [qw(application/atom+xml application/feed+json application/rss+xml)],
    'topic: autodiscovery of three formats';

$browser->screen(360, 740, 'light');
for my $code (0 .. 2) {
    is $browser->js(<<'JS', $code), '', "topic: address $code is selected whole";
const code = document.querySelectorAll('code')[arguments[0]];
const before = getComputedStyle(code).userSelect;
const a = code.parentElement.querySelector('a');
return before !== 'all' ? before : code.textContent === a.href ? ''
    : `${code.textContent} is not ${a.href}`;
JS
}
$browser->click('code');
is $browser->js('return getSelection().toString().trim()'),
    "$base/feeds/sowing.rss", 'topic: one touch selects it';

page_ok('/feeds/odd.html', 'odd');
is $browser->js(<<'JS'), 'window.pwned=1', 'odd: a title of markup is text';
return document.evaluate('string(//h2[starts-with(., "<script>")])', document)
    .stringValue.replace(/^<script>|<\/script>.*/g, '');
JS
is $browser->js(<<'JS'), "$base/odd/hostile/", 'odd: a script is no link';
return document.evaluate('string(//h2[starts-with(., "<script>")]/a/@href)',
    document).stringValue;
JS
# Pictures at the bottom are seen as well: they load, or fail.
$browser->js('for (const i of document.images) i.loading = "eager"');
wait_for(sub { $browser->js(
    'return [...document.images].every(i => i.complete)') },
    'odd: all pictures are there or not', 10);
for my $screen (@SCREENS) {
    $browser->screen(@$screen[1, 2], 'light');
    is_deeply [grep { !/is not lazy$/ }
        @{$browser->js($EXAMINE, $screen->[1])->{wrong}}], [],
        "odd, $screen->[0]: nothing wrong with all pictures";
    $browser->screenshot("odd-$screen->[0]-pictures", 6000);
}
is $browser->js('return document.images.length'), 7, 'odd: pictures';
is_deeply [refused($browser->console)], [], 'odd: nothing against its policy';

page_ok('/feeds/gone.html', 'empty');
is $browser->js('return document.querySelectorAll("article").length'), 0,
    'empty: no article';
like $browser->js('return document.querySelector("main").textContent'),
    qr/Nothing here yet/, 'empty: but words';

page_ok('/feeds/sowing.html?month=2021-04', 'month');
is $browser->js('return document.querySelector(".month").textContent'),
    'April 2021', 'month: its name';

page_ok('/many/', 'many');
is $browser->js('return document.querySelectorAll(".topics li").length'), 500,
    'many: a page of topics';
$browser->click('footer a', 'More topics');
is $browser->js('return document.querySelectorAll(".topics li").length'), 200,
    'many: the rest';
$browser->click('footer a', 'First topics');
is $browser->url, "$base/many/", 'many: and back';

# --- lazy

$browser->screen(1280, 900, 'light');
$browser->go("$base/feeds/sowing.html?limit=60");
is $browser->js('return document.images.length'), 60, 'sixty pictures';
cmp_ok $browser->js(
    'return performance.getEntriesByType("resource").length'), '<', 60,
    'those far below are not asked for';
$browser->js('scrollTo(0, document.documentElement.scrollHeight)');
ok wait_for(sub { $browser->js('const all = document.images;'
    . 'return all[all.length - 1].naturalWidth === 300') },
    'the last one loads', 10), 'the last one loads when one gets there';

# --- from page to page

$browser->screen(360, 740, 'light');
$browser->go("$base/feeds/");
$browser->click('a.name', 'Sowing');
is $browser->url, "$base/feeds/sowing.html", 'from the catalogue to a topic';
my %seen;
my $note = sub { $seen{$_}++ for @{$browser->js(
    'return [...document.querySelectorAll("h2 a")].map(a => a.href)')} };
$note->();
for my $page (2, 3) {
    $browser->click('footer a[rel=next]', 'Older');
    like $browser->url, qr{^\Q$base\E/feeds/sowing\.html\?before=},
        "to older articles, page $page";
    $note->();
}
is scalar(keys %seen), 60, 'all articles are on the pages';
is scalar(grep { $_ > 1 } values %seen), 0, 'each once';
$browser->click('footer a[rel=first]', 'Newest');
is $browser->url, "$base/feeds/sowing.html", 'and to the newest';
$browser->click('.tags a', 'Vegetables');
is $browser->url, "$base/feeds/vegetables.html", 'to another topic';
$browser->click('nav a', 'All topics');
is $browser->url, "$base/feeds/", 'to the catalogue';
$browser->click('.all a', 'Everything');
is $browser->url, "$base/feeds/all.html", 'to everything';
$browser->go("$base/feeds/sowing.html?month=2021-04&limit=20");
$browser->click('footer a', 'Older');
like $browser->url, qr/\bmonth=2021-04\b.*\bbefore=/, 'a month has pages';
$browser->click('footer a', 'Older');
like $browser->url, qr/\?.*\bmonth=2021-03\b/, 'and a month before it';
unlike $browser->url, qr/\bbefore=/, 'from its beginning';
$browser->click('footer a', 'Newer');
like $browser->url, qr/\?.*\bmonth=2021-04\b/, 'and back';
$browser->click('footer a', 'Newest');
like $browser->url, qr{/feeds/sowing\.html\b(?!.*month)}, 'to the present';

# --- real cards

SKIP: {
    skip 'no ../shared/corpus here', 1 if !$corpus;
    page_ok('/real/', 'real catalogue');
    links_ok('real catalogue');
    page_ok('/real/power-apps.html', 'real topic');
    page_ok('/real/all.html?month=2021-05', 'real month');
}

$browser->close;
$t->finish;

# Archives by month (RFC 5005, section 4): who follows a chain gets every
# card, whatever happens meanwhile; and what is no archive.

use strict;
use warnings;
no warnings 'qw'; # commas
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local ();
use Cardfeed::Feed;
use Cardfeed::Test;

# The month as it will be until the end.
sub month_of { substr rfc3339($_[0]), 0, 7 }
wait_for(sub { month_of(time) eq month_of(time + 40) },
    'this month is not about to end', 60);
my $this = month_of(time);

sub month_after {
    my ($year, $month) = $_[0] =~ /^(\d+)-(\d+)$/;
    return $month < 12 ? sprintf '%04d-%02d', $year, $month + 1
        : sprintf '%04d-01', $year + 1;
}

my $t = Cardfeed::Test->new(
    workers => 1, # and one cache
    location => 'cardfeed_entries 4; cardfeed_max_entries 5;'
        . ' cardfeed_hub https://hub.example.org/;',
    server => <<'CONF');
access_log access.log cached;
location = /own.xml {
    cardfeed news;
    cardfeed_format rss;
    cardfeed_args "type=video&limit=2";
    cardfeed_max_entries 5;
}
location /args/ {
    cardfeed news;
    cardfeed_entries 4;
    cardfeed_max_entries 5;
    cardfeed_args "month=$arg_m&from=$arg_f";

    location /args/before/ {
        cardfeed news;
        cardfeed_args "before=$arg_b&month=$arg_m";
    }
}
location = /args.json {
    cardfeed news;
    cardfeed_format json;
    cardfeed_entries 4;
    cardfeed_args "from=$arg_f&month=$arg_m";
}
location /usual/ {
    cardfeed news;
    cardfeed_base_url https://example.org;
}
CONF
$t->{http} .= "log_format cached '\$request_uri \$status "
    . "\$cardfeed_cache_status';";
$t->{server} =~ s/access\.log/@{[$t->dir]}\/access.log/;

# --- the cards: what each is follows from its number

my @times = (
    (map { sprintf '2018-12-%02dT12:00:00Z', $_ } 5 .. 7),
    '2019-05-01T00:00:00Z', ('2019-05-10T10:00:00Z') x 8,
    '2019-05-31T23:59:59Z', '2019-05-31T23:59:59Z',
    '2019-07-01T00:00:00Z', '2019-07-31T23:59:59Z',
    (map { "2020-01-0${_}T00:00:00Z" } 1 .. 5),
    '2020-02-29T23:59:59Z',
    ("$this-01T00:00:00Z") x 6,
);
my @cards = map { +{
    n => $_, title => "card-$_", date => $times[$_],
    topics => ['Many', $_ % 2 ? () : 'Even', $_ % 3 ? () : 'Three'],
    type => $_ % 4 ? 'article' : 'video',
    quality => $_, webUrl => "https://example.org/$_",
} } 0 .. $#times;
my %month = map { $_->{title} => substr $_->{date}, 0, 7 } @cards;

for my $card (@cards) {
    my %matter = %$card;
    delete $matter{n};
    $t->card("$card->{n}.md", \%matter);
}
$t->start;
my $base = $t->base;

sub titles_where {
    my ($holds) = @_;
    return [sort map { $_->{title} } grep { $holds->($_, $_->{n}) } @cards];
}

# --- documents

my %documents; # for the schemas

sub get {
    my ($url) = @_;

    (my $uri = $url) =~ s/^\Q$base\E//;
    my $res = $t->get($uri);
    my $f = {status => $res->status, titles => [], links => {}};
    return $f if $res->status != 200;

    my $kind = $res->header('Content-Type') =~ /(rss|atom|json)/
        ? $1 : 'html';
    return {%$f, body => $res->body} if $kind eq 'html';
    $documents{$kind}{$uri} = $res->body;
    $f = {%{ {rss => \&rss, atom => \&atom, json => \&json}->{$kind}
        ->($res->body) }, status => 200, kind => $kind};
    $f->{titles} = [map { $_->{title} } @{$f->{entries} // $f->{items}}];
    $f->{month} = $uri =~ /[?&]month=([0-9-]+)/ ? $1 : '';
    $f->{url} = $uri;
    $f->{header} = $res->header('Link');
    $f->{etag} = $res->header('ETag');
    return $f;
}

# All documents from one on; after each something may happen.
sub follow {
    my ($url, $rel, $meanwhile) = @_;

    my (@documents, %seen);
    while (defined $url) {
        my $d = get($url);
        push @documents, $d;
        if ($d->{status} != 200 || $seen{$url}++ || @documents > 100) {
            fail "$url: status $d->{status}, or once more";
            last;
        }
        $url = $d->{links}{$rel};
        $meanwhile->($d) if $meanwhile;
    }
    return @documents;
}

sub all_of { my %all = map { $_ => 1 } map { @{$_->{titles}} } @_;
    return [sort keys %all] }

# A document of a month is of that month, and says what it is.
sub document_ok {
    my ($d, $first) = @_;

    my @wrong;
    push @wrong, "$_ is of another month"
        for grep { $month{$_} && $month{$_} ne $d->{month} } @{$d->{titles}};
    push @wrong, 'more than its limit' if @{$d->{titles}} > 5;
    push @wrong, 'self' if $d->{links}{self} ne "$base$d->{url}";
    push @wrong, 'self in the header'
        if $d->{header} ne "<$base$d->{url}>; rel=\"self\"";
    if ($d->{kind} ne 'json') {
        push @wrong, 'current' if ($d->{links}{current} // '') ne $first;
        push @wrong, 'complete' if $d->{complete};
        push @wrong, 'archive, or not'
            if $d->{archive} != ($d->{month} ne $this);
        push @wrong, "a link $_" for grep { $d->{links}{$_} }
            qw(first next previous last hub);
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(!@wrong, "$d->{url}: a document of its month")
        || diag join "\n", @wrong;
}

# --- both chains and back again

my @chains = (
    ['/feeds/all.rss', sub { 1 }],
    ['/feeds/all.atom', sub { 1 }],
    ['/feeds/many.atom?limit=1', sub { 1 }],
    ['/feeds/all.rss?limit=2', sub { 1 }],
    ['/feeds/even+three.rss?limit=1', sub { $_[1] % 6 == 0 }],
    ['/feeds/!even+three,even+!three.atom?limit=3',
        sub { ($_[1] % 2 == 0) != ($_[1] % 3 == 0) }],
    ['/feeds/even.atom?limit=2&type=!video',
        sub { $_[1] % 2 == 0 && $_[1] % 4 }],
    ['/feeds/all.rss?limit=2&min_quality=9', sub { $_[1] >= 9 }],
    ['/feeds/all.atom?limit=1&since=2019-07-31T23:59:59Z',
        sub { $_[0]{date} ge '2019-07-31T23:59:59Z' }],
    ['/own.xml', sub { $_[1] % 4 == 0 }],
);
for my $chain (@chains) {
    my ($uri, $holds) = @$chain;
    my $all = titles_where($holds);
    my $first = get($uri);
    my @limit = $uri =~ /(limit=\d)/;

    ok !$first->{archive} && !$first->{complete},
        "$uri: neither archive nor all";
    is $first->{links}{'prev-archive'} =~ s/.*month=(.......).*/$1/r,
        $month{$first->{titles}[-1]}, "$uri: the month of its last card";
    is $first->{links}{'next-archive'}, undef, "$uri: nothing is newer";

    my @pages = follow($uri, 'next');
    is_deeply all_of(@pages), $all, "$uri: every card by next";
    is scalar(grep { $_->{links}{'prev-archive'} || $_->{archive} }
        @pages[1 .. $#pages]), 0, "$uri: older pages are no archives";

    my @down = follow($uri, 'prev-archive');
    is_deeply all_of(@down), $all, "$uri: every card by prev-archive";
    document_ok($_, $first->{links}{self}) for @down[1 .. $#down];
    is scalar(keys %{{map { ($_->{id} // '') => 1 } @pages, @down}}), 1,
        "$uri: one feed";

    my @up = follow($down[-1]{links}{self}, 'next-archive');
    is_deeply all_of(@up), $all, "$uri: every card by next-archive";
    is scalar(map { @{$_->{titles}} } @up), @$all, "$uri: once";
    document_ok($_, $first->{links}{self}) for @up;
    is $up[-1]{month}, $month{$first->{titles}[0]},
        "$uri: up to the newest month";

    is scalar(grep { !/\b$limit[0]\b/ } map {
        my %links = %{$_->{links}};
        delete @links{qw(alternate hub)};
        values %links;
    } @pages, @down, @up), 0, "$uri: its limit everywhere" if @limit;
}
is_deeply [map { scalar @{$_->{titles}} }
    follow('/feeds/all.atom?month=2019-05', 'prev-archive')], [5, 5, 1, 3],
    'a month above the most entries goes on';
is scalar @{get('/own.xml?month=2019-05&limit=5')->{titles}}, 2,
    'cardfeed_args limit months as well';
is get('/usual/all.atom?limit=3')->{links}{'prev-archive'},
    "https://example.org/usual/all.atom?month=$this&limit=3",
    'cardfeed_base_url';
is get('/usual/all.atom')->{complete}, 1, 'all in one document';
is get('/usual/all.atom')->{links}{'prev-archive'}, undef,
    'has no archives';

# --- which document it is, only the request says

my $place = '1559347199.ffffffffffffffff';
my $other = '1.0000000000000001';
for my $args ('m=2019-05', 'm=2019-05&f=three', 'm=0001-01', 'm=9999-12',
    'f=nothing', "b=$place", "b=$place&m=2019-05")
{
    my ($dir, @own) = $args =~ /b=/ ? ('/args/before', "b=$other")
        : ('/args', '');
    my @paths = map { "$dir/$_" } qw(all.atom even.rss all.json all.html),
        '', 'all.opml';
    for my $path (@paths, $args =~ /b=/ ? () : '/args.json') {
        for my $own ('', 'month=2019-05', 'limit=3', "before=$place") {
            my ($uri, $plain) = map { "$path?" . join '&', grep { $_ } @$_ }
                [$own, $args], [$own, @own];
            my ($res, $want) = ($t->get($uri), $t->get($plain));
            is $res->status, 200, "$uri: 200";
            is $res->header('Link'), $want->header('Link'), "$uri: its URL";
            is $res->body, $want->body, "$uri: as $plain";
        }
    }
    for my $case ([atom => 'next'], [json => 'next'],
        $args =~ /b=/ ? () : [atom => 'prev-archive'])
    {
        my ($kind, $rel) = @$case;
        # what the variables say goes on being said
        my @seen = my $uri = "$dir/all.$kind";
        my %cards;
        while (@seen < 30) {
            my $d = get($uri . ($uri =~ /\?/ ? '&' : '?') . $args);
            $cards{$_} = 1 for @{$d->{titles}};
            $uri = $d->{links}{$rel} // last;
            $uri =~ s/^\Q$base\E//;
            push @seen, $uri;
        }
        is_deeply [sort keys %cards], titles_where(sub { 1 }),
            "$args: every card by $rel, $kind";
    }
}
is $t->get('/args/all.rss?m=2019-13')->status, 400, 'malformed all the same';

# --- JSON has one link only

for my $uri ("/feeds/all.json", "/feeds/all.json?limit=3",
    "/feeds/many.json?month=$this", "/feeds/many.json?month=$this&limit=1",
    "/feeds/all.json?month=$this&limit=2")
{
    my @documents = follow($uri, 'next');
    is_deeply all_of(@documents), titles_where(sub { 1 }),
        "$uri: every card";
    is scalar(grep { $_->{month} xor $uri =~ /month/ } @documents), 0,
        "$uri: one kind of page";
    document_ok($_) for grep { $_->{month} } @documents;
    (my $atom = $uri) =~ s/json/atom/;
    my @atom = follow($atom, $uri =~ /month/ ? 'prev-archive' : 'next');
    is_deeply [map { $_->{titles} } @documents],
        [map { $_->{titles} } @atom], "$uri: as in Atom";
}

# --- empty months, borders, places

my $empty = get('/feeds/all.atom?month=2019-06');
document_ok($empty, "$base/feeds/all.atom");
is_deeply $empty->{titles}, [], 'a month without cards';
is $empty->{links}{'prev-archive'}, "$base/feeds/all.atom?month=2019-05",
    'knows the one before';
is $empty->{links}{'next-archive'}, "$base/feeds/all.atom?month=2019-07",
    'and the one after';
is $empty->{id}, get('/feeds/all.atom')->{id}, 'of the same feed';
is get('/feeds/all.rss?month=2018-11')->{links}{'prev-archive'}, undef,
    'nothing before the first one';
is get('/feeds/all.rss?month=0001-01')->{links}{'next-archive'},
    "$base/feeds/all.rss?month=2018-12", 'long before it';
is_deeply [sort @{get('/feeds/all.rss?month=2019-07')->{titles}}],
    [qw(card-14 card-15)], 'from its first second to its last';
is get('/feeds/all.rss?month=2019-07&since=2020-01-01')
    ->{links}{'prev-archive'}, undef, 'nothing before since';

my %same = (
    '/feeds/all.atom?utm=1&month=2019-05&limit=5'
        => '/feeds/all.atom?month=2019-05',
    '/feeds/all.atom?month=2019-05&before=1999999999.0000000000000001'
        => '/feeds/all.atom?month=2019-05',
    '/feeds/all.atom?month=2019-05&before=1559347200.0000000000000001'
        => '/feeds/all.atom?month=2019-05',
    '/feeds/all.atom?month=2019-06&month=2019-05'
        => '/feeds/all.atom?month=2019-05',
    '/feeds/all.atom?month=' => '/feeds/all.atom',
    '/feeds/all.atom?month=2019-05&month=' => '/feeds/all.atom',
    '/feeds/all.atom?limit=3&before=1557482400.00ff&before='
        . '1557482400.00000000000000ff&month=2019-05' => undef,
    '/feeds/all.atom?limit=3&before=1557482400.00000000000000ff&month=2019-05'
        => '/feeds/all.atom?month=2019-05&before=1557482400.'
        . '00000000000000ff&limit=3',
);
for my $uri (sort keys %same) {
    is get($uri)->{links}{self}, $same{$uri} && "$base$same{$uri}",
        "$uri: its one URL";
}
my $before = get('/feeds/all.atom?month=2019-05&before=0.0000000000000000');
is_deeply $before->{titles}, [], 'a place behind all of the month';
is $before->{links}{'prev-archive'}, "$base/feeds/all.atom?month=2018-12",
    'leads on';
like $before->{links}{'next-archive'}, qr/\?month=2019-05&before=/,
    'and back';

like get('/feeds/all.html?month=2019-05')->{body}, qr/May 2019/,
    'for people';
is get('/feeds/all.html?month=2019-13')->{status}, 400, 'also malformed';

# --- what is none

for my $bad (qw(2024-00 2024-13 24-01 2024-1 0000-01 2024 x 2024-01-01
    2024-01x +2024-01 2024%2F01 %D9%A2%D9%A0%D9%A2%D9%A4-01 % %00), '1' x 3000)
{
    my $short = substr $bad, 0, 30;
    is $t->get("/feeds/all.$_?month=$bad")->status, 400, "$_, $short: 400"
        for qw(rss json);
}
is $t->get('/feeds/all.rss?month=2019-05&limit=0')->status, 400,
    'a month, and a wrong limit';

my $next = month_after($this);
for my $uri ("/feeds/all.rss?month=$next", '/feeds/all.json?month=9999-12',
    "/feeds/even.atom?month=$next&before=1.0000000000000001",
    '/feeds/nothing.rss?month=2019-05', '/feeds/nothing.rss?month=2019-06')
{
    for my $n (1 .. 2) {
        my $res = $t->get("$uri&n=$n");
        is $res->status, 404, "$uri: 404";
        is $res->header('Cache-Control'), 'no-store', "$uri: not cached";
    }
    is $t->head("$uri&n=3")->status, 404, "$uri: HEAD too";
}

# What the log says of requests, in order.
sub cached {
    my ($uri, $n) = @_;
    my @found;
    wait_for(sub {
        @found = slurp($t->dir . '/access.log') =~ /^\Q$uri\E \d+ (\S+)$/mg;
        return @found >= $n;
    }, "$uri is logged");
    return "@found";
}

is cached("/feeds/all.rss?month=$next&n=$_", 1), '-',
    'a month to come is not kept' for 1, 2;
is cached("/feeds/nothing.rss?month=2019-05&n=2", 1), '-', 'nor a 404';
for my $case (['/feeds/all.atom?month=2017-01&k', 'BYPASS BYPASS'],
    ['/feeds/even.rss?month=2019-06&k', 'BYPASS BYPASS'],
    ['/feeds/all.rss?month=2019-05&type=none', 'BYPASS BYPASS'],
    ['/feeds/all.html?month=2019-06&k', 'BYPASS BYPASS'],
    ['/feeds/all.json?month=2020-02&min_quality=3', 'MISS HIT'],
    ["/feeds/all.json?month=$this&min_quality=3", 'MISS HIT'],
    ['/feeds/all.rss?min_quality=3', 'MISS HIT'])
{
    my ($uri, $want) = @$case;
    is $t->get($uri)->status, 200, "$uri: 200" for 1, 2;
    is cached($uri, 2), $want, "$uri: $want";
}

# --- HEAD, and asking again

for my $uri ('/feeds/all.atom?month=2019-05', '/feeds/all.rss?month=2019-06',
    "/feeds/all.json?month=$this")
{
    my ($get, $head) = ($t->get($uri), $t->head($uri));
    is $head->status, 200, "HEAD $uri: 200";
    is $head->body, '', "HEAD $uri: no body";
    is $head->header($_), $get->header($_), "HEAD $uri: the same $_"
        for qw(Content-Type Content-Length ETag Cache-Control Link);
    is $t->get($uri, 'If-None-Match' => $get->header('ETag'))->status, 304,
        "$uri: not modified";
}

# --- a chain while cards come and go

my ($serial, @churn) = (0);

# A card more in one of these months, and one less; both are seen.
sub stir {
    my (@months) = @_;

    my $name = 'churn-' . ++$serial;
    my $date = $months[$serial % @months];
    $t->card("$name.md", {title => $name, type => 'video', quality => 50,
        date => $date =~ /T/ ? $date : "$date-01T00:00:00Z",
        topics => ['Many', 'Even', 'Three', 'Churn'],
        webUrl => "https://example.org/$name"});
    push @churn, $name;
    my $gone = @churn > 4 ? shift @churn : undef;
    $t->remove("$gone.md") if $gone;
    wait_for(sub {
        my $now = join ' ', map { "<$_>" } $t->get('/feeds/churn.rss?limit=5')
            ->body =~ m{<title>(churn-\d+)</title>}g;
        return $now =~ /<$name>/ && (!$gone || $now !~ /<$gone>/);
    }, "$name is there");
}

my @months = ($this, '2019-05-10T10:00:00Z', '2019-06', '2020-01',
    '2018-12-06T12:00:00Z', '2019-05-31T23:59:59Z', '2018-01');
for my $case (['/feeds/all.atom?limit=2', sub { 1 }],
    ['/feeds/even,three.rss?limit=1', sub { !($_[1] % 2 && $_[1] % 3) }],
    ['/feeds/many.rss?type=video', sub { $_[1] % 4 == 0 }])
{
    my ($uri, $holds) = @$case;
    my %want = map { $_ => 1 } @{titles_where($holds)};
    my $stable = sub { [grep { $want{$_} } @{all_of(@_)}] };
    my $stir = sub { stir(@months) };
    my @all = sort keys %want;

    is_deeply $stable->(follow($uri, 'next', $stir)), \@all,
        "$uri, next: every card that stayed";
    my @down = follow($uri, 'prev-archive', $stir);
    is_deeply $stable->(@down), \@all,
        "$uri, prev-archive: every card that stayed";

    # upward none comes into the document that is fetched next
    my $last = (follow($uri, 'prev-archive'))[-1];
    is_deeply $stable->(follow($last->{url}, 'next-archive',
        sub { stir(($_[0]{links}{'next-archive'} // '') =~ /month=201/
            ? $this : '2018-01') })), \@all,
        "$uri, next-archive: every card that stayed";
}

# A chain closes again around what comes and what goes.
$t->remove("$_.md") for splice @churn;
wait_for(sub { $t->get('/feeds/churn.rss')->body !~ /<item>/ }, 'all gone');
my $uri = '/feeds/all.rss?month=2019-05&before=1557482400.'
    . 'ffffffffffffffff';
my $old = get($uri);
is $old->{links}{'prev-archive'}, "$base/feeds/all.rss?month=2018-12",
    'over empty months';
stir('2019-04');
is get($uri)->{links}{'prev-archive'}, "$base/feeds/all.rss?month=2019-04",
    'a month in between';
isnt get($uri)->{etag}, $old->{etag}, 'with another ETag';
is get('/feeds/all.rss?month=2018-12')->{links}{'next-archive'},
    "$base/feeds/all.rss?month=2019-04", 'from both sides';
$t->remove("$churn[-1].md");
wait_for(sub { $t->get('/feeds/churn.rss')->body !~ /<item>/ },
    'it goes again');
is get($uri)->{etag}, $old->{etag}, 'and the chain is as it was';

# --- every document that was seen is a good one

schemas_ok('atom', $documents{atom}, 'Atom');
schemas_ok('rss', $documents{rss}, 'RSS');
json_ok($documents{json}, 'JSON');
readers_ok('atom', {map { $_ => $documents{atom}{$_} }
    grep { /month/ } keys %{$documents{atom}}}, 'Atom, read');
readers_ok('rss', {map { $_ => $documents{rss}{$_} }
    grep { /month/ } keys %{$documents{rss}}}, 'RSS, read');

$t->finish;

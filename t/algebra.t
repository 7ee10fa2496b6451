# Topic algebra and filters: one feed for all spellings of a selection.

use strict;
use warnings;
no warnings 'qw'; # commas
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Cardfeed::Feed;
use Cardfeed::Test;

my $t = Cardfeed::Test->new(
    location => "cardfeed_max_entries 30;\ncardfeed_title Site;\n"
        . 'cardfeed_hub https://hub.example.org/;',
    server => <<'CONF');
location = /news.xml {
    cardfeed news;
    cardfeed_format atom;
    cardfeed_args "type=!video&category=blog";
}
location = /own.xml {
    cardfeed news;
    cardfeed_format atom;
    cardfeed_args "category=$arg_section&type=";
}
location /any/ {
    cardfeed news;
    cardfeed_format rss;
}
CONF

# 30 cards; what each is follows from its number.
my @cards = map { {
    n => $_, title => "card-$_",
    topics => ['Every Card', $_ % 2 ? () : 'Even', $_ % 3 ? () : 'Three',
        $_ % 5 ? () : 'C#'],
    type => $_ % 4 ? 'article' : 'Video',
    category => $_ % 7 ? 'news' : 'blog',
    provider => $_ % 6 ? "Caf\x{e9} & Bar" : 'MDN',
    author => $_ < 10 ? 'Jane Doe' : 'Joe',
    quality => $_, heat => $_ % 10,
} } 1 .. 30;
for my $card (@cards) {
    my %matter = %$card;
    delete $matter{n};
    $matter{provider} = {name => $card->{provider}};
    $t->card("$card->{n}.md", {%matter,
        date => sprintf('2021-01-%02d', 1 + int($card->{n} / 3)),
        webUrl => "https://example.org/$card->{n}"});
}
$t->card('draft.md', {title => 'draft', date => '2021-01-01',
    topics => ['Secret'], draft => 'true'});
$t->start;
my $base = $t->base;

sub feed {
    my ($uri) = @_;

    my $res = $t->get($uri);
    return {status => $res->status, titles => []} if $res->status != 200;
    my $f = $res->body =~ /<feed\b/ ? atom($res->body) : rss($res->body);
    $f->{status} = 200;
    $f->{titles} = [map { $_->{title} } @{$f->{entries} // $f->{items}}];
    $f->{self} = $f->{links}{self};
    $f->{link_header} = $res->header('Link');
    $f->{etag} = $res->header('ETag');
    return $f;
}

my @all = @{feed('/feeds/all.atom')->{titles}};
is scalar @all, 30, 'all cards';

# The titles, in the feed's order, of the cards for which it holds.
sub where_is {
    my ($holds) = @_;
    my %in = map { $_->{title} => 1 } grep { $holds->($_, $_->{n}) } @cards;
    return [grep { $in{$_} } @all];
}

# --- selections: what they hold, and what they are called

my @selections = (
    ['even', 'even', sub { $_[1] % 2 == 0 }, 'Even'],
    ['even+three', 'even+three', sub { $_[1] % 6 == 0 }, 'Even and Three'],
    ['three+even', 'even+three', sub { $_[1] % 6 == 0 }, 'Even and Three'],
    ['three%2Beven', 'even+three', sub { $_[1] % 6 == 0 }, 'Even and Three'],
    ['three,even', 'even,three',
        sub { $_[1] % 2 == 0 || $_[1] % 3 == 0 }, 'Even or Three'],
    ['even%2cthree', 'even,three',
        sub { $_[1] % 2 == 0 || $_[1] % 3 == 0 }, 'Even or Three'],
    ['!even', '!even', sub { $_[1] % 2 }, 'not Even'],
    ['%21even', '!even', sub { $_[1] % 2 }, 'not Even'],
    ['!three+even', 'even+!three',
        sub { $_[1] % 2 == 0 && $_[1] % 3 }, 'Even and not Three'],
    ['!three+!even,csharp', '!even+!three,csharp', undef, undef],
    ['csharp,three+even', 'csharp,even+three',
        sub { $_[1] % 5 == 0 || $_[1] % 6 == 0 }, 'C# or Even and Three'],
    ['all+even,even', 'even', sub { $_[1] % 2 == 0 }, 'Even'],
    ['even,all', 'all', sub { 1 }, undef],
    ['even+!even', '!all', sub { 0 }, 'Nothing'],
    ['!all', '!all', sub { 0 }, 'Nothing'],
);
for my $case (@selections) {
    my ($sel, $canonical, $holds, $words) = @$case;
    if (!$holds) {
        $canonical = 'csharp,!even+!three';
        $holds = sub { $_[1] % 5 == 0 || ($_[1] % 2 && $_[1] % 3) };
        $words = 'C# or not Even and not Three';
    }
    my $feed = feed("/feeds/$sel.atom");
    is $feed->{status}, 200, "$sel: 200" or next;
    is_deeply $feed->{titles}, where_is($holds), "$sel: its cards";
    is $feed->{self}, "$base/feeds/$canonical.atom", "$sel: its one URL";
    is $feed->{title}, defined $words ? "Site: $words" : 'Site',
        "$sel: its title";
    is $feed->{etag}, feed("/feeds/$canonical.atom")->{etag},
        "$sel: the bytes of $canonical";
}
is feed('/feeds/even+three.rss')->{description},
    'New on Even and Three from Site', 'its description';
is_deeply feed('/any/three+even')->{titles}, where_is(sub { $_[1] % 6 == 0 }),
    'without an extension';

# --- filters

my @filters = (
    ['type=video', 'type=video', sub { $_[0]{type} eq 'Video' }],
    ['type=VIDEO,Article', 'type=article,video', sub { 1 }],
    ['type=!video', 'type=!video', sub { $_[0]{type} ne 'Video' }],
    ['category=blog&type=!video', 'type=!video&category=blog',
        sub { $_[1] % 7 == 0 && $_[1] % 4 }],
    ['provider=Caf%C3%A9+%26+Bar', 'provider=caf%C3%A9%20%26%20bar',
        sub { $_[1] % 6 }],
    ['author=jane%20doe', 'author=jane%20doe', sub { $_[1] < 10 }],
    ['author=nobody', 'author=nobody', sub { 0 }],
    ['author=!nobody', 'author=!nobody', sub { 1 }],
    ['min_quality=007', 'min_quality=7', sub { $_[1] >= 7 }],
    ['min_heat=9&utm=1', 'min_heat=9', sub { $_[0]{heat} >= 9 }],
    ['since=2021-01-06', 'since=2021-01-06', sub { $_[1] >= 15 }],
    ['since=2021-01-06T02:00:00%2B02:00', 'since=2021-01-06',
        sub { $_[1] >= 15 }],
    ['type=blog&type=video', 'type=video', sub { $_[0]{type} eq 'Video' }],
    ['type=&since=', '', sub { 1 }],
);
for my $case (@filters) {
    my ($args, $canonical, $holds) = @$case;
    my $feed = feed("/feeds/all.atom?$args");
    is $feed->{status}, 200, "$args: 200" or next;
    is_deeply $feed->{titles}, where_is($holds), "$args: its cards";
    is $feed->{self}, "$base/feeds/all.atom" . ($canonical && "?$canonical"),
        "$args: its one URL";
}
is_deeply feed('/feeds/!three+even.rss?min_quality=9&type=article')->{titles},
    where_is(sub { $_[1] >= 9 && $_[1] % 2 == 0 && $_[1] % 3 && $_[1] % 4 }),
    'topics and filters';
is_deeply feed('/news.xml')->{titles},
    where_is(sub { $_[1] % 7 == 0 && $_[1] % 4 }), 'filters in cardfeed_args';
is_deeply feed('/news.xml?type=video')->{titles}, feed('/news.xml')->{titles},
    'which take precedence';
is feed('/news.xml')->{self}, "$base/news.xml", 'and are in no URL';
is_deeply feed('/own.xml?section=blog&type=video')->{titles},
    where_is(sub { $_[1] % 7 == 0 }), 'a filter from a variable';
is_deeply feed('/own.xml')->{titles}, \@all, 'which may be empty';

# --- identities and hubs

my %id = map { $_ => feed("/feeds/$_")->{id} } qw(all.atom even.atom
    even+three.atom even,three.atom !even.atom all.atom?type=video
    even.atom?type=video even.atom?min_heat=1);
is scalar(keys %{{reverse %id}}), scalar(keys %id),
    'every selection has an id of its own';
is feed('/feeds/three+even.atom?limit=2')->{id}, $id{'even+three.atom'},
    'one id for all spellings and pages';
is feed('/feeds/all.atom?category=blog&type=!VIDEO')->{id},
    feed('/news.xml')->{id}, 'and wherever the filters come from';

like feed("/feeds/$_")->{link_header}, qr/rel="hub"/, "$_: names the hub"
    for qw(all.atom even.atom all.rss?limit=3 even,all.rss all+even.rss);
unlike feed("/feeds/$_")->{link_header}, qr/rel="hub"/, "$_: does not"
    for qw(even+three.atom !even.rss all.atom?type=video
        even.rss?since=2020-01-01 even,three.rss !all.rss
        all.rss?before=1609459200.0000000000000000);

# --- paging

for my $uri ('/feeds/csharp,even+three.atom?limit=2',
    '/feeds/!even.rss?limit=4&type=article', '/any/all?limit=7&min_heat=3')
{
    my $whole = feed($uri =~ s/limit=\d+/limit=30/r);
    my ($next, @seen, %ids) = $uri;
    for (1 .. 40) {
        my $page = feed($next);
        is $page->{status}, 200, "$next: 200" or last;
        push @seen, @{$page->{titles}};
        $ids{$page->{id} // ''}++;
        defined($next = $page->{links}{next}) or last;
        $next =~ s/^\Q$base\E// or fail "$next: below the base";
    }
    is_deeply \@seen, $whole->{titles}, "$uri: every card once, in order";
    is scalar(keys %ids), 1, "$uri: one id";
}

# --- what does not exist, and what is malformed

my @missing = ('nothing', '!nothing', 'even+nothing', 'even,nothing',
    'even+!nothing', 'all,nothing', 'nothing+!nothing', 'even+!all+nothing',
    'secret', '!secret', 'even,secret', 'Even', 'even+Three', 'even++three',
    'even,', ',even', '+', '!', '!!even', 'even+', 'even%20three', 'even three',
    'even%00', 'even+%EF%BD%85ven', 'even%EF%BC%8Bthree', 'even+C%23',
    'even%E2%80%8B', 'e%CC%81ven', '(even)', join('+', ('even') x 17),
    join(',', ('even') x 17), 'a' x 3000, 'even' . '+even' x 600);
for my $sel (@missing) {
    (my $raw = $sel) =~ s/ /%20/g;
    my $res = $t->get("/feeds/$raw.atom");
    my $short = length $sel > 40 ? substr($sel, 0, 40) . '…' : $sel;
    # nginx itself refuses a NUL
    like $res->status, $sel =~ /%00/ ? qr/^(?:400|404)$/ : qr/^404$/,
        "$short: 404";
    is $res->header('Cache-Control'), 'no-store', "$short: not cached"
        if $res->status == 404;
}
is $t->get('/feeds/' . join(',', map { "even+three+csharp+!$_" } ('even') x 16)
    . '.atom')->status, 200, '16 alternatives: 200';

my @malformed = ('type=,', 'type=a,,b', 'type=!', 'type=%', 'type=%00',
    'type=%ff', 'type=' . join(',', 1 .. 17), 'author=' . 'a' x 2049,
    'min_quality=x', 'min_quality=1e9', 'min_quality=NaN', 'min_heat=-',
    'min_heat=1.5', 'since=yesterday', 'since=2021-02-30', 'since=2021-13-01',
    'since=2021-01-06T00:00:00', 'since=2021-01-06T00:00:00+02:00',
    'since=0000-01-01', 'type=video&type=,', 'limit=0', 'limit=-1',
    'limit=NaN', 'before=x');
is $t->get("/feeds/even+three.atom?$_")->status, 400,
    length > 40 ? substr($_, 0, 40) . '…' : "$_: 400" for @malformed;
is feed("/feeds/even.atom?$_")->{status}, 200, "$_: 200"
    for qw(min_quality=-1 min_quality=99999999999999999999 limit=1000000000
        Type=, min_quality=&type= since=9999-12-31 since=0001-01-01);

# --- a selection lives on as its topics do

$t->card('31.md', {title => 'card-31', date => '2021-03-01',
    topics => ['Even', 'Fresh'], webUrl => 'https://example.org/31'});
$t->wait_titles('fresh', qr/^card-31/, 'a new topic');
is feed('/feeds/even+fresh.atom')->{titles}[0], 'card-31', 'in an AND';
is feed('/feeds/three,fresh.atom')->{titles}[0], 'card-31', 'in an OR';
is feed('/feeds/!three.atom')->{titles}[0], 'card-31', 'in a NOT';
is scalar(grep { $_ eq 'card-31' } @{feed('/feeds/!fresh.atom')->{titles}}),
    0, 'not in its own NOT';
$t->remove('31.md');
wait_for(sub { !@{feed('/feeds/fresh.atom')->{titles}} }, 'it goes');
is feed('/feeds/even+fresh.atom')->{status}, 200, 'an empty AND: 200';
is_deeply feed('/feeds/!fresh.atom')->{titles}, \@all, 'a NOT of nothing';

$t->finish;

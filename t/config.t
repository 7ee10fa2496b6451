# Wrong configuration fails `nginx -t` with words that say what is allowed;
# `nginx -t` writes nothing of ours.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find ();
use Test::More;
use Cardfeed::Test;

my $t = Cardfeed::Test->new;
my ($status, $said);

sub try {
    my (%conf) = @_;
    local @$t{keys %conf} = values %conf;
    my ($status, $said) = $t->check;
    return ($status, $said);
}

my @wrong = (
    # parameters of a collection
    [{collection => 'watch=sometimes'}, qr/auto.*inotify.*poll.*off/],
    [{collection => 'watch='}, qr/auto.*inotify.*poll.*off/],
    [{collection => 'poll=never'}, qr/"poll=never".*time/],
    [{collection => 'poll=1ms'}, qr/100ms/],
    [{collection => 'threads=0'}, qr/1 to 64/],
    [{collection => 'threads=65'}, qr/1 to 64/],
    [{collection => 'threads=two'}, qr/1 to 64/],
    [{collection => 'threads=-1'}, qr/1 to 64/],
    [{collection => 'max_card=big'}, qr/"max_card=big".*size/],
    [{collection => 'max_card=0'}, qr/size/],
    [{collection => 'map=1'}, qr/"map=1".*size/],
    [{collection => 'map=99999999999999999999g'}, qr/size/],
    [{collection => 'ids=guid'}, qr/uuid.*permalink/],
    [{collection => 'undated=now'}, qr/skip.*mtime/],
    [{collection => 'timezone=Mars'}, qr/\+02:00|HH:MM/],
    [{collection => 'timezone=+25:00'}, qr/\+02:00|HH:MM/],
    [{collection => 'site=example.org'}, qr/absolute http/],
    [{collection => 'site=ftp://example.org/'}, qr/absolute http/],
    [{collection => 'include='}, qr/pattern/],
    [{collection => 'exclude=,'}, qr/pattern/],
    [{collection => 'colour=red'}, qr/"colour=red".*include=.*timezone=/],
    [{collection => 'threads'}, qr/"threads".*threads=/],
    # collections
    [{http => 'cardfeed_collection "a/b" /srv;'}, qr/letters.*digits/],
    [{http => 'cardfeed_collection "" /srv;'}, qr/letters.*digits/],
    [{http => "cardfeed_collection @{['x' x 65]} /srv;"}, qr/1 to 64/],
    [{http => 'cardfeed_collection news /srv;'}, qr/duplicate.*"news"/],
    [{http => 'cardfeed_collection other "";'}, qr/empty directory/],
    [{http => 'cardfeed_collection other;'}, qr/number of arguments/],
    [{http => 'cardfeed_index_path /a; cardfeed_index_path /b;'},
        qr/duplicate/],
    # locations
    [{location => 'cardfeed news;'}, qr/duplicate/],
    [{server => 'location /x { cardfeed olds; }'},
        qr/"olds".*cardfeed_collection/],
    [{server => 'location ~ ^/x { cardfeed news; }'}, qr/cardfeed_format/],
    [{server => 'location = /x { cardfeed news; }'}, qr/cardfeed_format/],
    [{server => 'location @x { cardfeed news; }'}, qr/cardfeed_format/],
    [{server => 'cardfeed news;'}, qr/not allowed here/],
    [{location => 'cardfeed_format xml;'},
        qr/"xml": rss, atom, json, html or opml is allowed/],
    [{location => 'cardfeed_format "";'}, qr/rss, atom, json, html or opml/],
    [{location => 'cardfeed_topic $nothing_like_this;'},
        qr/unknown "nothing_like_this" variable/],
    [{location => 'cardfeed_args "limit=0";'}, qr/limit/],
    [{location => 'cardfeed_args "before=x";'}, qr/before/],
    (map { [{location => "cardfeed_args \"$_\";"},
        qr/"cardfeed_args" "\Q$_\E".*are for requests/] }
        qw(month=2024-01 limit=3&month=0001-01 before=1.0000000000000001
        month=2024-01&before=9999999999.0000000000000001 from=a
        limit=3&from=%20)),
    [{location => 'cardfeed_args "month=2024-13";'}, qr/YYYY-MM/],
    [{location => "cardfeed_args \"from=@{['a' x 241]}\";"}, qr/from.*slug/],
    # selections
    [{location => 'cardfeed_topic a; cardfeed_select b;'},
        qr/cardfeed_topic.*cardfeed_select.*only one/],
    [{location => 'cardfeed_select $arg_x; cardfeed_topic $arg_y;'},
        qr/cardfeed_topic.*cardfeed_select.*only one/],
    (map { [{location => "cardfeed_select \"$_\";"},
        qr/cardfeed_select.*"\Q$_\E".*slugs of topics as in a\+!b,c/] }
        ('', 'C#', 'A', 'a+', ',a', '!', '!!a', 'a b', 'a++b',
        join('+', ('a') x 17), 'a' x 241)),
    # a list of feeds, and no place where they are
    [{server => 'location = /x { cardfeed news; cardfeed_format opml; }'},
        qr/opml.*"\/x".*needs "cardfeed_advertise news PATH"/],
    [{server => 'location = /x { cardfeed news; cardfeed_format opml;'
        . ' cardfeed_advertise off; } cardfeed_advertise news /feeds/;'},
        qr/opml.*needs "cardfeed_advertise news PATH"/],
    [{http => 'cardfeed_collection other /srv;',
        server => 'cardfeed_advertise other /other/; location ~ ^/x {'
        . ' cardfeed news; cardfeed_format opml; }'},
        qr/opml.*needs "cardfeed_advertise news PATH"/],
    [{server => 'cardfeed_advertise nothing /feeds/;'},
        qr/unknown collection "nothing"/],
    [{server => 'cardfeed_advertise news feeds;'},
        qr/"feeds": a path such as \/feeds\//],
    [{server => 'cardfeed_advertise news;'}, qr/collection and the path/],
    # texts and numbers
    (map { [{location => "$_ example.org;"}, qr/absolute http/] }
        qw(cardfeed_base_url cardfeed_site_url cardfeed_icon cardfeed_logo
        cardfeed_hub)),
    [{location => 'cardfeed_base_url javascript:alert(1);'},
        qr/absolute http/],
    (map { [{location => "cardfeed_language $_;"}, qr/en or de-AT/] }
        ('""', '"not a tag"', 'en-', '-', 'englishlanguage', '1')),
    [{location => 'cardfeed_entries 501;'}, qr/cardfeed_max_entries 500/],
    (map { [{location => "$_ \"\";"}, qr/text is allowed/] }
        qw(cardfeed_title cardfeed_description cardfeed_author
        cardfeed_rights)),
    [{location => "cardfeed_title \"\xff\";"}, qr/UTF-8/],
    (map { [{location => "cardfeed_entries $_;"}, qr/1 to 10000/] }
        qw(0 -1 many 10001 99999999999999999999)),
    (map { [{location => "cardfeed_max_entries $_;"}, qr/1 to 10000/] }
        qw(0 x)),
    [{location => 'cardfeed_max_age soon;'}, qr/invalid value|time/],
);

for my $case (@wrong) {
    my ($conf, $words) = @$case;
    my ($what) = %$conf ? values %$conf : '';
    my ($status, $said) = try(%$conf);
    isnt $status, 0, "$what: refused";
    my ($line) = $said =~ /^(.*\[emerg\].*)$/m;
    like $line // $said, $words, "$what: says what is allowed";
    like $line // '', qr/\Q@{[$t->dir]}\E\/nginx\.conf:\d+|in location "|variable/,
        "$what: says where";
}

# --- what is right

my @right = (
    {},
    {collection => 'include=*.md,*.txt exclude=README.md,old threads=64'
        . ' max_card=64k map=1g ids=permalink undated=mtime poll=1s'
        . ' watch=poll timezone=-03:30 site=https://example.org/blog/'},
    {http => 'cardfeed_collection other /srv/nowhere;'},
    {http => 'cardfeed_title T; cardfeed_entries 10;',
        server => 'cardfeed_title U; cardfeed_max_age 0;',
        location => 'cardfeed_title V; cardfeed_hub https://example.org/;'},
    {server => 'location ~ ^/t/(?<x>\w+)\.(?<f>\w+)$ { cardfeed news;'
        . ' cardfeed_topic $x; cardfeed_format $f; }'},
    {location => 'cardfeed_args "month=&from=&limit=3";'},
    {server => 'location /s/ { cardfeed news; cardfeed_select "!a+b,c"; }'
        . ' location ~ ^/v/ { cardfeed news; cardfeed_select $arg_s;'
        . ' cardfeed_format $arg_f; cardfeed_args "month=$arg_m"; }'},
    {server => 'cardfeed_advertise news /feeds/;'
        . ' location = /x { cardfeed news; cardfeed_format opml; }'},
    {no_collection => 1, no_feeds => 1},
);
for my $conf (@right) {
    ($status, $said) = try(%$conf);
    is $status, 0, join(' ', 'accepted:', values %$conf) or diag $said;
}

# --- server names that are none

($status, $said) = try(server => 'server_name _ *.example.org "" ~^x$;',
    location => '');
is $status, 0, 'more server names';
unlike $said, qr/\[warn\].*base_url/, 'one plain name is enough';
($status, $said) = try(server_name => '_ *.example.org ~^x$');
is $status, 0, 'no plain name: accepted';
like $said, qr/\[warn\].*cardfeed_base_url/, 'with a warning';

# --- nothing is written

sub listing {
    my %all;
    File::Find::find({no_chdir => 1, wanted => sub {
        my @s = lstat;
        $all{$_} = "@s[1, 2, 4, 5, 7] " . (-f _ ? $s[9] : '')
            if !m{/(?:nginx\.pid|nginx\.conf|error\.log)$};
    }}, $t->dir);
    return \%all;
}

$t->card('a.md', {title => 'a', date => '2021-01-01', topics => ['A']});
($status) = $t->check;
my $before = listing();
($status) = $t->check;
is $status, 0, 'nginx -t before the first start';
is_deeply listing(), $before, 'writes nothing of ours';
ok !-e $t->dir . '/index', 'and makes no index';

$t->start;
$t->wait_titles('all', 'a', 'running');
my %worker; # each opens the index with its first answer
wait_for(sub {
    $worker{$t->get('/feeds/all.rss')->header('X-Worker')}++;
    return keys %worker == 2;
}, 'both workers answer');
$before = listing();
($status) = $t->check;
is $status, 0, 'nginx -t beside a running one';
is_deeply listing(), $before, 'writes nothing of ours';
is $t->titles('all'), 'a', 'the running one serves on';

# A wrong configuration does not harm what runs.
{
    local $t->{collection} = 'watch=sometimes';
    $t->reload(wait => 0);
    $t->wait_log(qr/\[emerg\].*watch=sometimes/, 'a reload is refused');
}
$t->allow(qr/\[emerg\].*watch=sometimes/);
$t->card('b.md', {title => 'b', date => '2021-01-02', topics => ['A']});
$t->wait_titles('all', 'b a', 'the old configuration serves and indexes on');

# `nginx -t` wrote its refusals to the same log.
$t->allow(qr/nginx\.conf:\d+|in location "|unknown "\w+" variable/);

$t->finish;

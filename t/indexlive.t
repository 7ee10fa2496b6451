# Damage to an index while workers have it mapped: whatever that does to them,
# they come back, and the feeds are right in the end.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(remove_tree);
use Test::More;
use Cardfeed::Handover;
use Cardfeed::Test;

# A page that is gone or means nothing may kill who reads it.
# nginx's master may tell one of another when that is dead already.
my $t = Cardfeed::Test->new(
    allow => [qr/worker process \d+ exited on signal (?:6|7|11)\b/,
        qr/sendmsg\(\) failed/]);
my $dir = $t->dir;

my ($n, @titles) = (0);

sub card {
    $n++;
    $t->card(sprintf('d%d/%03d.md', $n % 5, $n), {title => "c$n",
        topics => ['Live', 'T' . $n % 7],
        date => rfc3339(1_600_000_000 + $n), quality => $n,
        webUrl => "https://example.org/$n"});
    unshift @titles, "c$n";
}

# The published one: the highest number.
sub generation {
    my %number = map { /-(\d+)$/ ? ($_ => $1) : () }
        grep { -d } glob "$dir/index/news/*-*-*";
    return (sort { $number{$b} <=> $number{$a} } keys %number)[0];
}

sub number { generation() =~ /-(\d+)$/ ? $1 : 0 }

# What only those who read meet is believed once a minute: as if one had passed
# since the last time (the fifth number of the control file).
sub a_minute_passes {
    open my $fh, '+<:raw', "$dir/index/news/control" or die $!;
    seek $fh, 4 * 8, 0;
    print {$fh} pack 'q', 0;
    close $fh or die $!;
}

# Asks for everything until all is right; what was answered on the way.
sub recover {
    my ($what) = @_;

    my (%status, $have);
    card();
    wait_for(sub {
        for my $uri ('/feeds/all.rss?limit=500', '/feeds/t3.atom',
            '/feeds/t1+live.json', '/feeds/all.opml', '/feeds/')
        {
            my $res = $t->get($uri);
            $status{$res->status || 0}++;
            $have = join ' ', $res->body
                =~ m{<item>\s*<title>([^<]*)</title>}g if $uri =~ /rss/;
        }
        return $have eq "@titles";
    }, "$what: right in the end", 20);
    is $have, "@titles", "$what: right in the end";

    # 0: the connection was lost with its worker
    is_deeply [grep { !/^(?:0|200|404|503)$/ } keys %status], [],
        "$what: what was answered on the way" or diag explain \%status;
}

card() for 1 .. 150;
$t->start;
is $t->titles('all'), "@titles", 'a site';

# --- cut to nothing, to a page, to half, while it is mapped

for my $part (0, 4096, 'half') {
    my $data = generation() . '/data.mdb';
    my $mark = $t->mark;
    my $old = number();
    truncate $data, $part eq 'half' ? int((-s $data) / 8192) * 4096 : $part;
    recover("cut to $part");
    cmp_ok number(), '>', $old, "cut to $part: a new index";
    ok scalar($t->log_lines(qr/"news": the index is built anew: /, $mark)),
        "cut to $part: the log says why";
    my @died = $t->log_lines(qr/exited on signal/, $mark);
    cmp_ok scalar(@died), '<', 100, "cut to $part: a few deaths at most";
}

# --- overwritten with garbage, from one page up to all

my $garbage = join '', map { chr(($_ * 89 + ($_ >> 7)) & 255) } 1 .. 4096;
for my $pages (1, 5, 1000) {
    a_minute_passes();
    my $data = generation() . '/data.mdb';
    my $mark = $t->mark;
    my $old = number();
    open my $fh, '+<:raw', $data or die $!;
    for my $page (2 .. int((-s $data) / 4096) - 1) {
        next if $page * 4096 >= -s $data
            || $page % int(1 + 50 / $pages) != 0;
        seek $fh, $page * 4096, 0;
        print {$fh} $garbage;
    }
    close $fh;
    recover("garbage $pages");
}

# --- taken away: what is mapped serves on, a reload begins anew

my $mark = $t->mark;
my $served = $t->titles('all');
remove_tree("$dir/index/news");
is $t->titles('all'), $served, 'taken away: it serves on';
$t->reload;
recover('taken away, reloaded');
wait_one_indexer($t, 'taken away, reloaded: one process indexes');
ok -d generation(), 'taken away, reloaded: there is an index again';

# --- an indexer's lock that is gone keeps nobody from anything

unlink "$dir/index/news/indexer.lock" or die $!;
$t->reload;
recover('no lock');
wait_one_indexer($t, 'no lock: one process indexes');

$t->finish;

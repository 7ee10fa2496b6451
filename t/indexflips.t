# Bits of an index that are others than they were written, many at a time and
# anywhere: the feeds are right in the end, and nobody dies for long.  What a
# single bit does is in t/unit/test_store_bits.c.
#
# CARDFEED_FLIPS=FROM-TO tries others than the usual seeds.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(remove_tree);
use Test::More;
use Cardfeed::Test;

my ($FROM, $TO) = ($ENV{CARDFEED_FLIPS} // '1-16') =~ /^(\d+)-(\d+)$/;
my $FLIPS = 40;

# A page that leads nowhere may kill who reads it, once or twice.
# nginx's master may tell one of another when that is dead already.
my $t = Cardfeed::Test->new(
    allow => [qr/worker process \d+ exited on signal (?:6|7|11)\b/,
        qr/sendmsg\(\) failed/]);
my $dir = $t->dir;
my ($index, $sound) = ("$dir/index", "$dir/sound");

for my $n (1 .. 150) {
    $t->card(sprintf('d%d/%03d.md', $n % 5, $n), {title => "c$n",
        topics => ['Flip', 'T' . $n % 7, "Its own $n"],
        type => $n % 2 ? 'video' : 'article', quality => $n,
        date => rfc3339(1_600_000_000 + $n * 100),
        webUrl => "https://example.org/$n"});
}
$t->start;

my @uris = ('/feeds/all.rss?limit=500', '/feeds/t3.atom', '/feeds/t1.json',
    '/feeds/t2+flip,t4.rss?type=video', '/feeds/all.opml', '/feeds/');

# A response without the times of its last change.
sub answer {
    my ($uri) = @_;

    my $res = $t->get($uri);
    my $body = $res->body // '';
    $body =~ s{<(lastBuildDate|updated|dateModified)>[^<]*}{}g;
    return $res->status . " $body";
}

my %want = map { $_ => answer($_) } @uris;
is_deeply [grep { !/^200 / } values %want], [], 'a site';
is $t->stop, 0, 'stopped';
system 'cp', '-a', $index, $sound;

# A quarter of all seeds spoils the first two pages, where the index begins.
sub flip {
    my ($seed) = @_;

    my ($data) = glob "$index/news/*-*-*/data.mdb";
    my $pages = int((-s $data) / 4096);
    my $bytes = slurp($data);
    srand $seed;
    for (1 .. $FLIPS) {
        my $page = int rand($seed % 4 ? $pages : 2);
        vec($bytes, ($page * 4096 + int rand 4096) * 8 + int rand 8, 1) ^= 1;
    }
    open my $fh, '>:raw', $data or die $!;
    print {$fh} $bytes;
    close $fh or die $!;
}

for my $seed ($FROM .. $TO) {
    remove_tree($index);
    system 'cp', '-a', $sound, $index;
    flip($seed);
    my $mark = $t->mark;
    $t->start(ready => 0);

    my %status;
    my $right = wait_for(sub {
        my $wrong = 0;
        for my $uri (@uris) {
            my $answer = answer($uri);
            $status{($answer =~ /^(\d*)/)[0] || 0}++;
            $wrong++ if $answer ne $want{$uri};
        }
        return !$wrong;
    }, "seed $seed: right in the end", 20);
    ok $right, "seed $seed: right in the end";

    # 0: the connection was lost with its worker
    is_deeply [grep { !/^(?:0|200|404|503)$/ } keys %status], [],
        "seed $seed: what was answered on the way" or diag explain \%status;
    my @died = $t->log_lines(qr/exited on signal/, $mark);
    cmp_ok scalar(@died), '<=', 6, "seed $seed: nobody dies for long";
    is $t->stop, 0, "seed $seed: stopped";
}

$t->finish;

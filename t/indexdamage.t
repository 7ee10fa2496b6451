# An index that was damaged, cut, replaced or taken away while nginx did not
# run: it is built anew or mended, the log says why, nobody dies of it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(remove_tree);
use Test::More;
use Cardfeed::Test;

# Not as root, whom no mode keeps from anything.
my $t = Cardfeed::Test->new($> == 0 ? (user => 'www-data') : (),
    http => 'cardfeed_collection more {{DIR}}/more;');
my $dir = $t->dir;
my ($index, $sound) = ("$dir/index", "$dir/sound");

for my $n (1 .. 150) {
    $t->card(sprintf('d%d/%03d.md', $n % 5, $n), {title => "c$n",
        topics => ['Damage', 'T' . $n % 7, 'A topic of its own ' . $n],
        date => rfc3339(1_600_000_000 + $n), quality => $n,
        webUrl => "https://example.org/$n"}, "Text of card $n.\n");
}
{
    local $t->{content} = "$dir/more";
    $t->card('other.md', {title => 'other', date => '2021-01-01',
        topics => ['Other'], webUrl => 'https://example.org/other'});
}
$t->start;
my %want = map { $_ => $t->titles($_) }
    ('all', 'damage', 't3', 't3+damage', 't4,t5');
$t->wait_log(qr/"more" is ready/, 'the other collection');
is $t->stop, 0, 'stopped';
system 'cp', '-a', $index, $sound;

sub generation { (grep { -d } glob "$index/news/*-*-*")[0] }
sub data { generation() . '/data.mdb' }

sub overwrite {
    my ($path, $at, $bytes) = @_;
    open my $fh, '+<:raw', $path or die "$path: $!";
    seek $fh, $at, 0 or die $!;
    print {$fh} $bytes or die $!;
    close $fh or die $!;
}

sub replace {
    my ($path, $bytes) = @_;
    open my $fh, '>:raw', $path or die "$path: $!";
    print {$fh} $bytes or die $!;
    close $fh or die $!;
}

# The control file holds 64-bit numbers: magic, generation, and from the
# seventh on slots of three: number, format, checksum.
sub control {
    my ($place, $number) = @_;
    overwrite("$index/news/control", 8 * $place, pack 'Q<', $number);
}

sub published {
    return unpack 'x8 Q<', slurp("$index/news/control");
}

my $GARBAGE = join '', map { chr(($_ * 89 + ($_ >> 7)) & 255) } 1 .. 65536;

# What is done, why it is built anew (undef: it is not), and how.
my @cases = (
    ['nothing', undef, sub { }],

    ['data.mdb is empty', qr/data\.mdb|lacks pages/,
        sub { truncate data(), 0 }],
    ['data.mdb is a page', qr/data\.mdb|lacks pages/,
        sub { truncate data(), 4096 }],
    ['data.mdb is half', qr/lacks pages/,
        sub { truncate data(), int((-s data()) / 8192) * 4096 }],
    ['data.mdb lacks a page', qr/lacks pages/,
        sub { truncate data(), (-s data()) - 4096 }],
    ['data.mdb lacks some bytes', qr/lacks pages/,
        sub { truncate data(), (-s data()) - 100 }],
    ['data.mdb is longer', undef,
        sub { truncate data(), (-s data()) + 12345 }],
    ['data.mdb is a text', qr/data\.mdb/,
        sub { replace(data(), "Not an index.\n" x 1000) }],
    ['data.mdb is garbage', qr/data\.mdb/,
        sub { replace(data(), $GARBAGE) }],
    ['data.mdb is zeros', qr/data\.mdb/,
        sub { replace(data(), "\0" x 65536) }],
    ['data.mdb is gone', qr/data\.mdb/, sub { unlink data() }],
    ['data.mdb is a directory', qr/data\.mdb/,
        sub { unlink data(); mkdir data() }],
    ['data.mdb is of another collection', qr/made with other parameters/,
        sub { system 'cp', glob("$index/more/*-*-*/data.mdb"), data() }],
    ['data.mdb cannot be opened', qr/data\.mdb: Permission denied/,
        sub { chmod 0, data() }],

    ['lock.mdb is gone', undef,
        sub { unlink generation() . '/lock.mdb' }],
    ['lock.mdb is empty', undef,
        sub { truncate generation() . '/lock.mdb', 0 }],
    ['lock.mdb is short', undef,
        sub { truncate generation() . '/lock.mdb', 100 }],
    ['lock.mdb is garbage', undef,
        sub { replace(generation() . '/lock.mdb', $GARBAGE) }],
    ['lock.mdb is read-only', qr/lock\.mdb/,
        sub { chmod 0400, generation() . '/lock.mdb' }],
    ['lock.mdb cannot be opened', qr/lock\.mdb/,
        sub { chmod 0, generation() . '/lock.mdb' }],

    ['control is gone', qr/control file was lost/,
        sub { unlink "$index/news/control" }],
    ['control is empty', qr/control file was lost/,
        sub { truncate "$index/news/control", 0 }],
    ['control is short', qr/control file names no index/,
        sub { truncate "$index/news/control", 20 }],
    ['control is garbage', qr/control file was lost/,
        sub { replace("$index/news/control", substr $GARBAGE, 0, 4096) }],
    ['control is of another version', qr/control file was lost/,
        sub { control(0, 42) }],
    ['control names another generation', qr/control file names no index/,
        sub { control(1, published() + 8) }],
    ['the format is another one', qr/made by another version/,
        sub { control(6 + 3 * (published() % 8) + 1, 1001) }],
    ['the parameters are others', qr/made with other parameters/,
        sub { control(6 + 3 * (published() % 8) + 2, 1001) }],

    ['the generation is gone', qr/the index is gone/,
        sub { remove_tree(generation()) }],
    ['the generation is a file', qr/Not a directory/, sub {
        my $path = generation();
        remove_tree($path);
        replace($path, 'x');
    }],
    ['the index is gone', '', sub { remove_tree("$index/news") }],
    ['all indexes are gone', '', sub { remove_tree($index) }],
    ['the machine had stopped', qr/the machine stopped before/,
        sub { replace(generation() . '/unsynced', 'another boot') }],
    ['left-overs lie about', undef, sub {
        mkdir "$index/news/1-0000000000000000-1";
        replace("$index/news/1-0000000000000000-1/data.mdb", 'x');
        replace(generation() . '/lease.999999', 'another boot');
        replace("$index/news/notes.txt", 'of somebody else');
    }],
);

for my $case (@cases) {
    my ($what, $why, $do) = @$case;

    remove_tree($index);
    system 'cp', '-a', $sound, $index;
    $do->();
    my $mark = $t->mark;
    $t->start(ready => 0);

    my (%status, $have);
    wait_for(sub {
        my $res = $t->get('/feeds/all.rss?limit=500');
        $status{$res->status}++;
        $have = join ' ',
            $res->body =~ m{<item>\s*<title>([^<]*)</title>}g;
        return $have eq $want{all};
    }, "$what: the feed", 10);
    is_deeply [grep { !/^(?:200|503)$/ } keys %status], [],
        "$what: answered, or later" or diag explain \%status;
    my %have = map { $_ => $t->titles($_) } keys %want;
    is_deeply \%have, \%want, "$what: every feed is right";

    my @anew = $t->log_lines(qr/"news": the index is built anew/, $mark);
    if (defined $why) {
        $t->wait_log(qr/"news" is ready: 150 cards/, "$what: anew", $mark);
        ok scalar(grep { /$why/ } @anew), "$what: the log says why"
            or diag $t->log($mark) if $why;
    } else {
        is_deeply \@anew, [], "$what: is no reason for a new index";
        is_deeply [keys %status], [200], "$what: it serves at once";
    }
    is $t->stop, 0, "$what: stopped";
}

$t->finish;

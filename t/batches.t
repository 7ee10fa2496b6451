# Thousands of cards at once become visible as a whole or in few steps.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use Test::More;
use Time::HiRes qw(time);
use Cardfeed::Seen;
use Cardfeed::Test;

plan skip_all => 'no git here' if system('git --version >/dev/null 2>&1') != 0;

my $count = 3000;

my $t = Cardfeed::Test->new(workers => 1,
    location => "cardfeed_max_entries $count;");
my $content = $t->content;
my $uri = "/feeds/b.rss?limit=$count";

sub text {
    my ($n, $version) = @_;
    return "---\ntitle: $version-$n\ndate: 2021-01-01\ntopics: [B]\n---\n";
}

sub path { sprintf '%02d/%d.md', $_[0] % 20, $_[0] }

# How many entries of which version a response has; its ETag tells states
# apart.
sub state {
    my ($res) = @_;
    my %n;
    $n{$_}++ for $res->body =~ m{<item>\s*<title>(\w+)-}g;
    return join(',', map { "$_=$n{$_}" } sort keys %n) . ' '
        . ($res->header('ETag') // $res->status);
}

# What the indexer promises: a commit when 2 ms are quiet, or after 200 ms, or
# 2,000 files; and that quiet is longer with every commit of many, up to 32 ms.
# How often it is that quiet in between depends on the machine, but more than
# so many steps there cannot be.
sub seen_in_few {
    my ($what, $last, $do) = @_;

    my $start = time;
    my @seen = seen_while($t, $uri, \&state, sub {
        $do->();
        wait_for(sub { state($t->get($uri)) =~ /^\Q$last\E / }, $what, 30);
    });
    my $most = 10 + (time - $start) / 0.032;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    like $seen[-1], qr/^\Q$last\E /, "$what: all of it";
    cmp_ok scalar(@seen), '<=', $most, "$what: in few steps";
    note sprintf '%s: %d states in %.2f s', $what, scalar @seen, time - $start;
    return @seen;
}

# --- git checkout, between two branches

sub git {
    system('git', '-C', $content, '-c', 'user.name=t', '-c',
        'user.email=t@example.org', '-c', 'gc.auto=0', '-c',
        'core.fsync=none', '-c', 'core.compression=0', '-c',
        'init.defaultBranch=a', @_) == 0 or die "git @_: $?";
}

sub branch {
    my ($version, @numbers) = @_;
    $t->file(path($_), text($_, $version)) for @numbers;
    git('add', '-A');
    git('commit', '-q', '-m', $version);
}

make_path($content);
git('init', '-q');
branch('old', 1 .. $count);
git('checkout', '-q', '-b', 'b');
branch('new', 1 .. $count);
git('checkout', '-q', '-b', 'half');
$t->remove(path($_)) for grep { $_ % 2 } 1 .. $count;
branch('new', map { $count + $_ } 1 .. 100);
git('checkout', '-q', 'a');
$t->start;
wait_for(sub { state($t->get($uri)) =~ /^old=$count / }, 'the first branch');

my @seen = seen_in_few('git checkout', "new=$count",
    sub { git('checkout', '-q', 'b') });
is_deeply [grep { my %n = /(\w+)=(\d+)/g; ($n{new} // 0) + ($n{old} // 0)
    < $count - 1 } @seen], [], 'no card is missing for a moment';
seen_in_few('a branch with less', 'new=' . ($count / 2 + 100),
    sub { git('checkout', '-q', 'half') });
seen_in_few('and back', "old=$count", sub { git('checkout', '-q', 'a') });

# --- as rsync does it: each file written under another name in its directory,
# given its dates, and renamed

seen_in_few('rsync', "sync=$count", sub {
    for my $n (1 .. $count) {
        my $path = "$content/" . path($n);
        my $new = $path =~ s{([^/]+)$}{.$1.Xa3b$n}r;
        open my $fh, '>', $new or die $!;
        print {$fh} text($n, 'sync');
        close $fh;
        utime 1_600_000_000, 1_600_000_000, $new;
        rename $new, $path or die $!;
    }
});

# rsync --inplace
seen_in_few('rsync --inplace', "place=$count", sub {
    for my $n (1 .. $count) {
        my $path = "$content/" . path($n);
        open my $fh, '+<', $path or die $!;
        print {$fh} text($n, 'place');
        truncate $fh, tell $fh;
        close $fh;
        utime 1_600_000_000, 1_600_000_000, $path;
    }
});

# A lone save at once: all that is to be seen of it is one state.
@seen = seen_while($t, $uri, \&state, sub {
    $t->file(path(1), text(1, 'lone'));
    wait_for(sub { state($t->get($uri)) =~ /^lone=1,/ }, 'a lone save');
});
is scalar(@seen), 2, 'a lone save: one step';

$t->finish;

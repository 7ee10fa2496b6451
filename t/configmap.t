# A volume as Kubernetes makes it: every file a link through ..data, which is
# switched in one step; no event is on the files themselves.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path remove_tree);
use Test::More;
use Cardfeed::Seen;
use Cardfeed::Test;

# poll=1h: nothing is found by looking.
my $t = Cardfeed::Test->new(workers => 1, collection => 'poll=1h');

# What the kubelet does, step by step (its atomic writer).
my %last;
sub volume {
    my ($dir, %titles) = @_;

    my $was = $last{$dir};
    my $name = sprintf '..2024_01_01_00_00_%02d.123', ++$last{n};
    for my $path (keys %titles) {
        make_path("$dir/$name/" . $path =~ s{[^/]*$}{}r);
        open my $fh, '>', "$dir/$name/$path" or die $!;
        print {$fh} "---\ntitle: $titles{$path}\ndate: 2021-01-01\n"
            . "topics: [K]\n---\n";
        close $fh or die $!;
    }
    chmod 0755, "$dir/$name";
    symlink $name, "$dir/..data_tmp" or die $!;
    rename "$dir/..data_tmp", "$dir/..data" or die $!;
    my %top = map { s{/.*}{}r => 1 } keys %titles;
    for my $entry (keys %top) {
        symlink "..data/$entry", "$dir/$entry" if !-l "$dir/$entry";
    }
    for my $old (keys %{$was ? $was->{top} : {}}) {
        unlink "$dir/$old" if !$top{$old};
    }
    remove_tree("$dir/$was->{name}") if $was;
    $last{$dir} = {name => $name, top => \%top};
}

sub sorted {
    my ($res) = @_;
    return join ' ', sort $res->body =~ m{<item>\s*<title>([^<]*)}g;
}

sub is_seen {
    my ($want, $what) = @_;
    my $have;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_for(sub { ($have = sorted($t->get('/feeds/k.rss'))) eq $want }, $what)
        ? pass $what : diag "last seen: $have";
}

volume($t->content, 'a.md' => 'a1', 'b.md' => 'b1');
$t->start;
is_seen('a1 b1', 'the volume');

volume($t->content, 'a.md' => 'a2', 'b.md' => 'b1');
is_seen('a2 b1', 'a file changed');
volume($t->content, 'a.md' => 'a2', 'b.md' => 'b1', 'c.md' => 'c1');
is_seen('a2 b1 c1', 'a file more');
volume($t->content, 'a.md' => 'a3', 'c.md' => 'c1');
is_seen('a3 c1', 'a file less');

# The same size, the same dates.
my @seen = seen_while($t, '/feeds/k.rss', \&sorted, sub {
    for my $n (4 .. 8) {
        volume($t->content, 'a.md' => "a$n", 'c.md' => "c$n");
        is_seen("a$n c$n", "both changed: $n");
    }
});
is "@seen[0, -1]", 'a3 c1 a8 c8', 'both changed, five times';
is_deeply [grep { !/^a\d c\d$/ } @seen], [],
    'and none of them missing for a moment' or diag "@seen";

# A volume within the collection, and one that comes when all runs.
make_path($t->content . '/vol', $t->dir . '/later');
volume($t->content . '/vol', 'd.md' => 'd1', 'e.md' => 'e1');
is_seen('a8 c8 d1 e1', 'a volume within');
volume($t->content . '/vol', 'd.md' => 'd2');
is_seen('a8 c8 d2', 'is switched');
volume($t->dir . '/later', 'f.md' => 'f1');
rename $t->dir . '/later', $t->content . '/later' or die $!;
is_seen('a8 c8 d2 f1', 'a volume that is moved in');
$last{$t->content . '/later'} = delete $last{$t->dir . '/later'};
volume($t->content . '/later', 'f.md' => 'f2', 'g.md' => 'g1');
is_seen('a8 c8 d2 f2 g1', 'is switched');

# "items: path: sub/x.md" makes links to directories: these are not followed,
# and it is said which one to take for the collection.
volume($t->content . '/vol', 'd.md' => 'd3', 'sub/x.md' => 'x1');
is_seen('a8 c8 d3 f2 g1', 'files in directories of a volume are not');
$t->wait_log(qr{\[warn\].*"vol/sub": symbolic links to directories},
    'and it is said');
is $t->stop, 0, 'nginx ended with status 0';

# The collection being ..data/sub of a volume: every switch is its root's.
$t = Cardfeed::Test->new(workers => 1, collection => 'poll=1h',
    content => undef);
my $volume = $t->dir . '/volume';
$t->{content} = "$volume/sub";
mkdir $volume or die $!;
volume($volume, 'sub/x.md' => 'x1', 'sub/in/y.md' => 'y1');
$t->start;
is_seen('x1 y1', 'a link through ..data as the collection');
for my $n (2 .. 4) {
    volume($volume, 'sub/x.md' => "x$n", "sub/in/z$n.md" => "z$n");
    is_seen("x$n z$n", "is switched: $n");
}

$t->finish;

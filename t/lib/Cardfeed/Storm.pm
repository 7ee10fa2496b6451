package Cardfeed::Storm;

# Random operations on a collection of Cardfeed::Test, and on a model of it
# (Cardfeed::Model) at the same time; then the feeds are compared with it.
#
# What is left out, for the reasons docs/operations.md gives: writes through
# another name of a linked file, and to what a symbolic link leads to.
#
# Environment:
#   STORM_SEED  the number that a storm is made from; it is printed

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path remove_tree);
use Test::More;
use Time::HiRes qw(sleep time);

use Cardfeed::Model;
use Cardfeed::Test;
use Cardfeed::Text;

our @EXPORT = qw(storm_seed storm_over);

my @DIRS = ('a', 'b', '_news', 'with space', "it's", "\xff\xfe", 'x.md', '%41',
    "d\xc3\xbc", 'q?#', '"', "new\nline", 'n' x 100);
my @NAMES = ((map { "c$_.md" } 0 .. 9), (map { "h$_.html" } 0 .. 3),
    'k0.markdown', 'a b.md', "\"'\\.md", "\xe6\x97\xa5.md", "\xff\x80.md",
    "l\nf.md", '%2e&?#.md', '-.md', '...md', 'l' x 200 . '.md');
my @NOT_OURS = ('n.txt', 'c0.md~', '.c1.md', 'c2.MD', '_index.md');
my @NOT_ENTERED = qw(_drafts .git node_modules _site);
my @IDS = map { "tag:example.org,2026:$_" } 1 .. 5;
my $DEEPEST = 4;
my $MOST = 400;

# A rejected file, and an index that is not trusted after two deaths.
my $EXPECTED = qr/\[warn\]\ .*cardfeed:\ collection\ "news":
    (?:\ ".*(?::\d+)?:\ .|\ the\ index\ is\ )/x;
my $TARGETS = 6;

sub storm_seed {
    my $seed = $ENV{STORM_SEED} // int rand 1_000_000_000;
    srand $seed;
    note "STORM_SEED=$seed";
    return $seed;
}

# What Cardfeed::Test->new needs for it.
sub options {
    return (collection => 'max_card=200k',
        location => 'cardfeed_max_entries 1000;',
        $> == 0 ? (user => 'www-data') : ());
}

sub new {
    my ($class, $t, $seed) = @_;

    my $self = bless {
        t => $t, seed => $seed, model => Cardfeed::Model->new,
        content => $t->content, aside => $t->dir . '/aside', trees => {},
        count => 0, done => {},
    }, $class;
    mkdir $self->{aside};
    # What links lead to: never changed, and no card by its own name.
    mkdir "$self->{content}/.targets";
    for my $i (1 .. $TARGETS) {
        my ($bytes, $n) = $self->_text;
        $self->_write("$self->{content}/.targets/t$i.md", $bytes);
        $self->{target}[$i] = $n;
    }
    return $self;
}

sub model { $_[0]{model} }
sub operations { my $sum = 0; $sum += $_ for values %{$_[0]{done}}; $sum }

# --- pieces ------------------------------------------------------------------

sub _any { return @_ ? $_[rand @_] : undef }

# A new text: (bytes, number).
sub _text {
    my ($self, $kind) = @_;

    $kind //= _any(('card') x 12, ('hidden') x 2, ('broken') x 2, 'plain');
    my $n = @{$self->{model}{text}};
    my ($bytes, %text) = make_text($n, $kind,
        rand() < 0.1 ? _any(@IDS) : undef);
    $self->{model}->add_text(%text);
    return ($bytes, $n);
}

sub _write {
    my ($self, $path, $bytes) = @_;

    open my $fh, '>:raw', $path or die "$path: $!";
    print {$fh} $bytes or die "$path: $!";
    close $fh or die "$path: $!";
    return;
}

sub _full { "$_[0]{content}/$_[1]" }
sub _aside { "$_[0]{aside}/" . ++$_[0]{count} }
sub _join { $_[0] eq '' ? $_[1] : "$_[0]/$_[1]" }
sub _depth { $_[0] =~ tr{/}{} }

# Only root can work below a directory that is closed to everybody.
sub _usable {
    my ($self, @paths) = @_;
    return @paths if $> == 0;
    return grep { !$self->{model}->is_blind($_) } @paths;
}

# Seldom one that is not looked into.
sub _dir {
    my ($self) = @_;

    my $dir;
    for (1 .. 4) {
        $dir = _any($self->_usable($self->{model}->dirs));
        last if $self->{model}->is_entered($dir);
    }
    return $dir;
}

sub _some_dir { _any(grep { $_ ne '' } $_[0]->_usable($_[0]{model}->dirs)) }
sub _file { _any($_[0]->_usable($_[0]{model}->files)) }

# No link.
sub _regular_file {
    my ($self) = @_;
    my $model = $self->{model};
    return _any(grep { !defined $model->file($_)->{depth} }
        $self->_usable($model->files));
}

# One that can be written in place.
sub _plain_file {
    my ($self) = @_;
    my $path = $self->_regular_file // return;
    return $> != 0 && $self->{model}->file($path)->{dark} ? undef : $path;
}

sub _new_path {
    my ($self) = @_;

    for (1 .. 20) {
        my $path = _join($self->_dir, rand() < 0.05 ? _any(@NOT_OURS)
            : _any(@NAMES));
        return $path if !$self->{model}->exists($path);
    }
    return;
}

sub _new_dir {
    my ($self) = @_;

    for (1 .. 20) {
        my $up = $self->_dir;
        next if $up ne '' && _depth($up) + 1 >= $DEEPEST;
        my $path = _join($up,
            _any(rand() < 0.04 ? @NOT_ENTERED : @DIRS));
        return $path if !$self->{model}->exists($path);
    }
    return;
}

sub _rename {
    my ($self, $from, $to) = @_;
    rename $from, $to or die "$from to $to: $!";
}

# --- operations on files -----------------------------------------------------

# In pieces, so that somebody may read half of it.
sub _in_place {
    my ($self, $path, $bytes) = @_;

    $self->{model}->flickers($path);
    open my $fh, '>:raw', $self->_full($path) or die "$path: $!";
    $fh->autoflush(1);
    while (length $bytes) {
        print {$fh} substr $bytes, 0, 1 + int rand 2 * length $bytes, '';
        select undef, undef, undef, 0.002 * rand if rand() < 0.2;
    }
    close $fh or die "$path: $!";
    return;
}

sub _op_create {
    my ($self) = @_;

    my $path = $self->_new_path // return;
    my ($bytes, $n) = $self->_text;
    $self->_in_place($path, $bytes);
    $self->{model}->place($path, n => $n);
    return 1;
}

sub _op_create_by_rename {
    my ($self) = @_;

    my $path = $self->_new_path // return;
    my ($bytes, $n) = $self->_text;
    my $new = rand() < 0.5 ? $self->_aside : $self->_full($path) =~
        s{[^/]*\z}{'.tmp' . ++$self->{count}}er;
    $self->_write($new, $bytes);
    $self->_rename($new, $self->_full($path));
    $self->{model}->place($path, n => $n);
    return 1;
}

sub _op_create_by_link {
    my ($self) = @_;

    my $path = $self->_new_path // return;
    my ($bytes, $n) = $self->_text;
    my $new = $self->_aside;
    $self->_write($new, $bytes);
    link $new, $self->_full($path) or die "$path: $!";
    unlink $new or die "$new: $!";
    $self->{model}->place($path, n => $n);
    return 1;
}

sub _op_edit {
    my ($self) = @_;

    my $path = $self->_plain_file // return;
    my ($bytes, $n) = $self->_text;
    $self->_in_place($path, $bytes);
    $self->{model}->place($path, %{$self->{model}->file($path)}, n => $n);
    return 1;
}

sub _op_thrash {
    my ($self) = @_;

    my $path = $self->_plain_file // return;
    for (1 .. 2 + rand 8) {
        my ($bytes, $n) = $self->_text;
        $self->_in_place($path, $bytes);
        $self->{model}->place($path, %{$self->{model}->file($path)}, n => $n);
    }
    return 1;
}

sub _op_append {
    my ($self) = @_;

    my $path = $self->_plain_file // return;
    open my $fh, '>>:raw', $self->_full($path) or die "$path: $!";
    print {$fh} "\nmore, number @{[++$self->{count}]}\n";
    close $fh or die "$path: $!";
    return 1;
}

sub _op_touch {
    my ($self) = @_;

    my $path = $self->_plain_file // return;
    my $when = rand() < 0.5 ? time : 1_500_000_000;
    utime $when, $when, $self->_full($path) or die "$path: $!";
    return 1;
}

sub _op_replace {
    my ($self) = @_;

    my $path = $self->_file // return;
    my ($bytes, $n) = $self->_text;
    my $new = $self->_aside;
    $self->_write($new, $bytes);
    $self->_rename($new, $self->_full($path));
    $self->{model}->place($path, n => $n);
    return 1;
}

sub _op_rename {
    my ($self) = @_;

    my $from = $self->_file // return;
    my $to = $self->_new_path // return;
    $self->_rename($self->_full($from), $self->_full($to));
    $self->{model}->move($from, $to);
    return 1;
}

sub _op_rename_over {
    my ($self) = @_;

    my $from = $self->_file // return;
    my $to = $self->_file;
    return if $from eq $to;
    $self->_rename($self->_full($from), $self->_full($to));
    $self->{model}->move($from, $to);
    return 1;
}

sub _op_swap {
    my ($self) = @_;

    my $one = $self->_file // return;
    my $two = $self->_file;
    return if $one eq $two;
    my $between = $self->_aside;
    $self->_rename($self->_full($one), $between);
    my $file = $self->{model}->remove($one);
    $self->_rename($self->_full($two), $self->_full($one));
    $self->{model}->move($two, $one);
    $self->_rename($between, $self->_full($two));
    $self->{model}->place($two, %$file);
    return 1;
}

sub _op_delete {
    my ($self) = @_;

    my $path = $self->_file // return;
    unlink $self->_full($path) or die "$path: $!";
    $self->{model}->remove($path);
    return 1;
}

sub _op_chmod {
    my ($self) = @_;

    my $path = $self->_regular_file // return;
    my $dark = !$self->{model}->file($path)->{dark};
    chmod $dark ? 0 : 0644, $self->_full($path) or die "$path: $!";
    $self->{model}->darken($path, $dark);
    return 1;
}

# A symbolic link, over what is there or not: to a text that stays, to
# nowhere, or out of the collection.
sub _op_link {
    my ($self) = @_;

    my $path = (rand() < 0.5 ? $self->_new_path : $self->_file) // return;
    my $i = 1 + int rand $TARGETS;
    my ($to, $depth) = _any(
        ([('../' x _depth($path)) . ".targets/t$i.md", _depth($path)]) x 4,
        ['nowhere.md', -1], ["$self->{content}/.targets/t$i.md", -1])->@*;
    my $new = $self->_aside;
    symlink $to, $new or die "$new: $!";
    $self->_rename($new, $self->_full($path));
    $self->{model}->place($path, n => $self->{target}[$i], depth => $depth);
    return 1;
}

# --- operations on trees -----------------------------------------------------

sub _op_make_dirs {
    my ($self) = @_;

    my $path = $self->_new_dir // return;
    $path = _join($path, _any(@DIRS)) while _depth($path) < $DEEPEST - 1
        && rand() < 0.5;
    make_path($self->_full($path));
    $self->{model}->make_dir($path);
    for (1 .. rand 3) {
        my $file = _join($path, _any(@NAMES));
        next if $self->{model}->exists($file);
        my ($bytes, $n) = $self->_text;
        $self->_in_place($file, $bytes);
        $self->{model}->place($file, n => $n);
    }
    return 1;
}

sub _op_move_tree {
    my ($self) = @_;

    my $from = $self->_some_dir // return;
    my $to = $self->_new_dir // return;
    return if "$to/" =~ m{^\Q$from\E/}s;
    $self->_rename($self->_full($from), $self->_full($to));
    $self->{model}->plant($to, $self->{model}->uproot($from));
    return 1;
}

sub _op_tree_out {
    my ($self) = @_;

    return if keys %{$self->{trees}} > 3;
    my $from = $self->_some_dir // return;
    my $to = $self->_aside;
    $self->_rename($self->_full($from), $to);
    $self->{trees}{$to} = $self->{model}->uproot($from);
    return 1;
}

sub _op_tree_in {
    my ($self) = @_;

    my $from = _any(sort keys %{$self->{trees}}) // return;
    my $to = $self->_new_dir // return;
    $self->_rename($from, $self->_full($to));
    $self->{model}->plant($to, delete $self->{trees}{$from});
    return 1;
}

# A tree that was made elsewhere, as a checkout moves it in.
sub _op_new_tree {
    my ($self) = @_;

    my $to = $self->_new_dir // return;
    my $from = $self->_aside;
    my %tree = (file => {}, dir => {'' => 1}, blind => {});
    for (1 .. 1 + rand 20) {
        my $up = rand() < 0.5 ? '' : '/' . _any(qw(u v w));
        my $name = "$up/" . _any(@NAMES);
        next if $tree{file}{$name};
        make_path("$from$up");
        $tree{dir}{$up} = 1;
        my ($bytes, $n) = $self->_text;
        $self->_write("$from$name", $bytes);
        $tree{file}{$name} = {n => $n};
    }
    $self->_rename($from, $self->_full($to));
    $self->{model}->plant($to, \%tree);
    return 1;
}

sub _op_delete_tree {
    my ($self) = @_;

    my $path = $self->_some_dir // return;
    return if $> != 0 && grep { rindex($_, "$path/", 0) == 0 }
        keys %{$self->{model}{blind}};
    remove_tree($self->_full($path), {error => \my $errors});
    die "$path: ", map { values %$_ } @$errors if @$errors;
    $self->{model}->uproot($path);
    return 1;
}

sub _op_chmod_dir {
    my ($self) = @_;

    my $model = $self->{model};
    my $path = _any(keys %{$model->{blind}} && rand() < 0.6
        ? sort keys %{$model->{blind}} : grep { $_ ne '' } $model->dirs)
        // return;
    return if $> != 0 && $model->is_blind($path) && !$model->{blind}{$path};
    my $blind = !$model->{blind}{$path};
    chmod $blind ? _any(0, 0444) : 0755, $self->_full($path)
        or die "$path: $!";
    $model->blind_dir($path, $blind);
    return 1;
}

# --- storms ------------------------------------------------------------------

my %WEIGHT = (create => 8, create_by_rename => 8, create_by_link => 2,
    edit => 10, thrash => 2, append => 3, touch => 2, replace => 8,
    rename => 8, rename_over => 3, swap => 3, delete => 6, chmod => 5,
    link => 4, make_dirs => 5, move_tree => 5, tree_out => 3, tree_in => 5,
    new_tree => 2, delete_tree => 1, chmod_dir => 5);
my @OPS = map { my $op = $_; ($op) x $WEIGHT{$op} } sort keys %WEIGHT;

# So many operations.
sub run {
    my ($self, $count) = @_;

    while ($count > 0) {
        my $op = _any(@OPS);
        # Enough of them: more go than come.
        next if $op =~ /create|new_tree/ && $self->{model}->files > $MOST;
        $op = 'delete_tree' if $op =~ /tree|make_dirs/
            && $self->{model}->dirs > $MOST / 2;
        $self->can("_op_$op")->($self) or next;
        $self->{done}{$op}++;
        $count--;
    }
    return;
}

# Nothing was said but what a storm is expected to give rise to.  What was
# closed is opened, so that it can be removed.
sub storm_over {
    my ($self) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    chmod 0755, map { $self->_full($_) } sort keys %{$self->{model}{blind}};
    for my $aside (keys %{$self->{trees}}) {
        chmod 0755, map { $aside . $_ }
            sort keys %{$self->{trees}{$aside}{blind}};
    }
    my @bad = grep { $_ !~ $EXPECTED }
        $self->{t}->log_lines(qr/\[(?:warn|error)\]/);
    ok !@bad, 'no unexpected warning' or diag join "\n",
        grep { defined } @bad[0 .. 10];
    note join ' ', $self->operations, 'operations:',
        map { "$_=$self->{done}{$_}" } sort keys %{$self->{done}};
    return;
}

# Trees to begin with.
sub sow {
    my ($self, $files) = @_;
    while ($self->{model}->files < $files) {
        $self->can(_any(qw(_op_new_tree _op_create _op_make_dirs)))->($self);
    }
    return;
}

1;

package Cardfeed::Mounts;

# A test with mounts of its own: in a namespace that ends with it.

use strict;
use warnings;

use Exporter 'import';
use Test::More;

our @EXPORT = qw(own_mounts mounted unmounted);

# Starts the test again in such a namespace, or skips it.
sub own_mounts {
    return if $ENV{CARDFEED_OWN_MOUNTS};

    plan skip_all => 'needs root, to mount' if $> != 0;
    my @own = qw(unshare --mount --propagation private);
    plan skip_all => 'no mount namespaces'
        if system("@own mount -t tmpfs none /mnt 2>/dev/null") != 0;
    local $ENV{CARDFEED_OWN_MOUNTS} = 1;
    exec @own, $^X, $0 or die $!;
}

# mount(8) with its arguments.
sub mounted {
    my (@args) = @_;
    system('mount', @args) == 0 or die "mount @args: $?";
}

# umount(8), and what stands in it may stay there.
sub unmounted {
    my ($dir) = @_;
    system('umount', '--lazy', $dir) == 0 or die "umount $dir: $?";
}

1;

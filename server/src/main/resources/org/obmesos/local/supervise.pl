# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs one command of the embedded cluster, outlives the server if it must,
# and writes down how the command ended:
#
#   perl supervise.pl META SANDBOX GRACE TIMEOUT COMMAND [ARGUMENT...]
#
# Perl, because a shell cannot tell "exited with 137" from "killed by signal 9".
#
# META/pid   this process and the command's process group; it is linked into
#            place, so that it exists once and whole or not at all
# META/exit  "status N" or "signal N", then why it was stopped: "killed" or
#            "timeout", if it was
# META/cleanup, if it is there, is run by the shell once a command was stopped
#
# TERM asks the command's whole group to end, and ends it GRACE seconds later.

use strict;
use warnings;

# A signal to the server's group, from a terminal say, is not for us; and
# whoever edits the document goes before what it runs.
setpgrp(0, 0);
setpriority(0, 0, 10);

my ($meta, $sandbox, $grace, $timeout, @command) = @ARGV;
my $poll = 0.02;
my $longest_nap = 1;
my ($child, $polls_left);
my $why = '';

sub write_down {
    my ($name, $text) = @_;
    open(my $file, '>', "$meta/$name.new") or die "$meta/$name.new: $!";
    print $file "$text\n";
    close($file) or die "$meta/$name.new: $!";
}

sub stop {
    my ($because) = @_;
    return unless defined $child;
    $why ||= " $because";
    kill 'TERM', -$child;
    $polls_left = int($grace / $poll) unless defined $polls_left;
}

# Handlers write into a pipe, so that a signal ends the wait for it.  But Perl
# calls them at safe points only: one that comes right before the wait is not
# called until it is over.  So the waits are short at first and never long.
pipe(my $woken, my $wake) or die "pipe: $!";
$SIG{TERM} = sub { stop('killed'); syswrite($wake, 't') };
$SIG{ALRM} = sub { stop('timeout'); syswrite($wake, 'a') };
$SIG{CHLD} = sub { syswrite($wake, 'c') };
$SIG{INT} = $SIG{HUP} = $SIG{PIPE} = 'IGNORE';

pipe(my $go, my $start) or die "pipe: $!";
$child = fork();
die "fork: $!" unless defined $child;
if ($child == 0) {
    close($start);
    setpgrp(0, 0);
    $SIG{INT} = $SIG{HUP} = $SIG{PIPE} = 'DEFAULT';
    chdir($sandbox) or die "$sandbox: $!";
    open(STDIN, '<', '/dev/null') or die "/dev/null: $!";
    open(STDERR, '>>', 'stderr') or die "stderr: $!";
    open(STDOUT, '>>', 'stdout') or die "stdout: $!";
    # Nothing runs before this process is known by name.
    exit 1 unless sysread($go, my $word, 1);
    close($go);
    no warnings 'exec';
    exec { $command[0] } @command;
    print STDERR "Failed to execute '$command[0]': $!\n";
    exit 1;
}
close($go);
setpgrp($child, $child);

write_down('pid', "$$ $child");
if (!link("$meta/pid.new", "$meta/pid")) {
    # A server that came after has given this launch up.
    kill 'KILL', $child;
    exit 1;
}
unlink "$meta/pid.new";
syswrite($start, 'x');
close($start);
alarm($timeout) if $timeout;
{
    local $| = 1;
    print "$child\n";
}
close(STDOUT);

my $nap = $poll;
until (waitpid($child, 1) == $child) {
    vec(my $ready = '', fileno($woken), 1) = 1;
    $nap = $nap * 2 < $longest_nap ? $nap * 2 : $longest_nap;
    if (select($ready, undef, undef, defined $polls_left ? $poll : $nap) > 0) {
        sysread($woken, my $signals, 64);
    }
    elsif (defined $polls_left && $polls_left-- == 0) {
        kill 'KILL', -$child;
    }
}
my $status = $?;

# What the command left behind in its group goes with it.
kill 'KILL', -$child;
system('/bin/sh', "$meta/cleanup") if $why && -e "$meta/cleanup";
write_down('exit', ($status & 127 ? 'signal ' . ($status & 127) : 'status ' . ($status >> 8)) . $why);
rename("$meta/exit.new", "$meta/exit") or die "$meta/exit: $!";

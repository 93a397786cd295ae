# SPDX-License-Identifier: GPL-3.0-or-later
#
# The supervisor of the embedded cluster: follows sessions.pl; its argument is the
# cluster's work directory.
#
# The server connects to a socket in the work directory; messages are JSON, one a
# line.  To each server that connects the supervisor says which tasks and sessions
# run; what an earlier one has sent and was not read by then is never done.
#
#   server: {"type":"ENVIRONMENT","environment":VARIABLES}, for all tasks to come;
#     {"type":"LAUNCH","id":ID,"spec":SPECIFICATION} {"type":"KILL","id":ID}
#     {"type":"END_SESSION","id":SESSION}, all sessions if that is empty
#   supervisor: {"type":"SUBSCRIBED","tasks":{ID:PROCESS,...},"sessions":[SESSION,...]}
#     {"type":"STARTED","id":ID,"process":PROCESS} {"type":"ENDED","id":ID}
#     {"type":"FAILED","id":ID,"message":TEXT} {"type":"SESSION_ENDED","id":SESSION}

my $client;
my %ended;        # what is still to be written into the exit files of tasks
my $retry_at;     # when that is tried again, if it has failed
my $retry_after = 1;  # seconds

sub notify {
    my ($message) = @_;
    $client->{out} .= to_json($message) . "\n" if $client && $client->{socket};
}

sub accept_client {
    my $socket = $listener->accept or return;
    close_connection($client) if $client && $client->{socket};
    $client = add_connection($socket, \&take_lines, sub { });
    notify({ type => 'SUBSCRIBED',
           tasks => { (map { $_ => \(my $n = 0) } keys %ended),
                      map { $_ => \(my $n = $tasks{$_}{process}) } keys %tasks },
           sessions => [ keys %sessions ] });
}

sub take_lines {
    my ($connection) = @_;
    while ($connection->{in} =~ s/^([^\n]*)\n//) {
        my $message = from_json($1);
        my $id = $message->{id};
        if ($message->{type} eq 'ENVIRONMENT') {
            %environment = %{ $message->{environment} };
        }
        elsif ($message->{type} eq 'LAUNCH') {
            eval { start_task($id, $message->{spec}); 1 }
                or notify({ type => 'FAILED', id => $id, message => $@ });
        }
        elsif ($message->{type} eq 'KILL' && $tasks{$id}) {
            stop_task($tasks{$id}, 'killed');
        }
        elsif ($message->{type} eq 'END_SESSION') {
            kill 'KILL', map { -$_->{process} } grep { $id eq '' || $_->{id} eq $id } values %sessions;
        }
    }
}

# Writes the exit files of tasks that have ended, and then reports these tasks.  If that
# fails, because the disk is full, say, it is tried again, as long as the directory exists.
sub write_ended {
    return if defined $retry_at && now() < $retry_at;
    $retry_at = undef;
    for my $id (keys %ended) {
        my ($exit, $text) = @{ $ended{$id} };
        eval {
            write_file("$exit.new", $text);
            rename("$exit.new", $exit) or die "$exit: $!\n";
            1;
        };
        if ($@ && -d $exit =~ s{/exit$}{}r) {
            $retry_at = now() + $retry_after;
            next;
        }
        delete $ended{$id};
        notify({ type => 'ENDED', id => $id });
    }
}

sub supervise {
    my ($directory) = @_;
    chdir($directory) or die "$directory: $!\n";
    # A low priority keeps the user's editor responsive.
    POSIX::setsid();
    setpriority(0, 0, 10);
    # The path of a socket may have 108 bytes, so a short one is used.
    unlink 'supervisor.sock';
    require IO::Socket::UNIX;
    $listener = IO::Socket::UNIX->new(Local => 'supervisor.sock', Listen => 5)
        or die "supervisor.sock: $!\n";
    $listener->blocking(0);
    $on_started = sub {
        my ($id, $task) = @_;
        notify({ type => 'STARTED', id => $id, process => \(my $n = $task->{process} // 0) });
    };
    $on_ended = sub {
        my ($id, $task) = @_;
        $ended{$id} = ["$task->{spec}{meta}/exit",
                       exit_words($task->{status}) . " $task->{why} " . usage_words($task)
                       . ($task->{over} ? " over\n" : "\n")];
        write_ended();
    };
    $on_session_ended = sub { notify({ type => 'SESSION_ENDED', id => $_[0] }) };
    # The first server is on its way; without one there is nothing left to do
    # once all tasks have ended.
    my $until = now() + 30;
    $on_turn = sub {
        $until = 0 if $client;
        write_ended();
        exit 0 if !%tasks && !%ended && !%sessions && !($client && $client->{socket}) && now() >= $until;
        return defined $retry_at ? $retry_after : undef;
    };
    $| = 1;
    print "ready\n";
    # Its number must not become that of a connection.
    open(STDOUT, '>', '/dev/null') or die "/dev/null: $!\n";
    run();
}

supervise($ARGV[0]);

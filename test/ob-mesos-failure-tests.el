;;; ob-mesos-failure-tests.el --- When things go wrong  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Servers that are missing, die, or speak over each other.

;;; Code:

(require 'ob-mesos-tests)

(defconst ob-mesos-tests--dying-java "#!/usr/bin/perl
exec $ENV{REAL_JAVA}, @ARGV if -e \"$0.ran\" || grep /cds-training/, @ARGV;
open(my $ran, '>', \"$0.ran\");
my ($parent, $message) = (getppid(), '');
sysread(STDIN, $message, 1, length $message) or exit until $message =~ /\"id\":\\s*(\\d+).*\\}/s;
close(STDIN);
my $answer = qq({\"jsonrpc\":\"2.0\",\"id\":$1,\"result\":{}});
$| = 1;
printf(\"Content-Length: %d\\r\\n\\r\\n%s\", length $answer, $answer);
sleep 1 while getppid() == $parent;
"
  "A Java that answers once and takes no more, and after that is a real one.")

(ert-deftest ob-mesos-run-survives-a-server-that-takes-no-more ()
  (let* ((directory (make-temp-file "ob-mesos" t))
         (java (expand-file-name "java" directory))
         (file (make-temp-file "ob-mesos" nil ".org"
                               (ob-mesos-tests--block "" "echo hi")))
         (process-environment
          (append (list (concat "REAL_JAVA=" (executable-find ob-mesos-java))
                        (format "PATH=%s:%s" directory (getenv "PATH")))
                  process-environment)))
    (write-region ob-mesos-tests--dying-java nil java nil 'silent)
    (set-file-modes java #o700)
    (ob-mesos-tests--elsewhere
      (should (equal '(0 t)
                     (pcase-let ((`(,status ,out ,_)
                                  (ob-mesos-tests--call
                                   (list (expand-file-name "../ob-mesos" ob-mesos--directory)
                                         "run" file "--stdout"))))
                       (list status (and (string-search "\n: hi\n" out) t)))))
      (should (file-exists-p (concat java ".ran"))))
    (delete-file file)))

(ert-deftest ob-mesos-a-damaged-archive-of-classes-holds-nobody-up ()
  (let* ((directory (make-temp-file "ob-mesos" t))
         ;; Java leaves a report of its crash there.
         (temporary-file-directory (file-name-as-directory directory))
         (jar ob-mesos-server-jar)
         (ob-mesos-server-jar (expand-file-name "server.jar" directory))
         (process-environment (cons (concat "XDG_CACHE_HOME=" directory)
                                    process-environment))
         (ob-mesos--servers nil))
    (make-symbolic-link jar ob-mesos-server-jar)
    (let ((archive (ob-mesos--archive)))
      (ob-mesos--make-archive archive)
      (ob-mesos-tests--wait (lambda () (file-exists-p archive)))
      ;; Java 17 maps it into memory and is killed by SIGBUS; Java 21 does
      ;; without it.
      (let ((coding-system-for-read 'no-conversion)
            (coding-system-for-write 'no-conversion))
        (with-temp-buffer
          (insert-file-contents-literally archive nil 0 1000000)
          (write-region nil nil archive nil 'silent)))
      (should (equal ": hi\n" (ob-mesos-tests--run "" "echo hi"))))
    (ob-mesos--disconnect (ob-mesos--server))
    (delete-directory directory t)))

(ert-deftest ob-mesos-what-is-missing-is-said-with-the-cure ()
  (let ((ob-mesos--servers nil))
    (let ((ob-mesos-server-jar "/nonexistent.jar"))
      (should (string-search "ob-mesos build"
                             (error-message-string
                              (should-error (ob-mesos--check-server))))))
    (let ((ob-mesos-java "/nonexistent/java"))
      (should (string-search "apt-get install"
                             (error-message-string
                              (should-error (ob-mesos--check-server))))))))

(ert-deftest ob-mesos-a-state-directory-that-cannot-be-is-named ()
  (let ((file (make-temp-file "ob-mesos" nil ".org" (ob-mesos-tests--block "" "echo hi")))
        (process-environment (cons "XDG_STATE_HOME=/dev/null/x" process-environment)))
    (should (string-search
             "ERROR: The server does not start: --state-dir: /dev/null/x/ob-mesos cannot be used"
             (nth 2 (ob-mesos-tests--call
                     (ob-mesos-tests--emacs "-f" "ob-mesos-batch-run" file)))))))

(ert-deftest ob-mesos-a-killed-server-is-started-again-and-nothing-is-lost ()
  (ob-mesos-tests--with
      (mapconcat (lambda (n)
                   (ob-mesos-tests--block
                    ":cpus 0.05 :mem 32" (format "sleep 0.%d; echo result %d" (% n 10) n)))
                 (number-sequence 1 50) "\n")
    (let ((tasks (ob-mesos--submit-buffer-and-wait)))
      (should (= 50 (length tasks)))
      (ob-mesos-tests--wait
       (lambda () (cl-some #'ob-mesos-task-terminal-p tasks)))
      (signal-process (jsonrpc--process (ob-mesos--server-connection (ob-mesos--server))) 9)
      (ob-mesos-tests--settle)
      (dotimes (n 50)
        (should (= 1 (how-many (format "^: result %d$" (1+ n))
                               (point-min) (point-max)))))
      (should-not (cl-some #'ob-mesos-task-failed-p tasks)))))

(ert-deftest ob-mesos-what-one-server-says-does-not-get-into-what-another-does ()
  (let ((other (ob-mesos--server "localhost:1"))
        (count 0))
    (unwind-protect
        (dotimes (_ 5)
          ;; A long answer comes in pieces, and a server begins between them.
          (ob-mesos-tests--with
              (ob-mesos-tests--block "" "head -c 200000 /dev/zero | tr '\\0' x")
            (org-babel-execute-src-block)
            (let ((id (ob-mesos-task-id (car (ob-mesos--running)))))
              (ob-mesos-tests--settle)
              (dotimes (_ 5)
                (ob-mesos--request (ob-mesos--server) :task/get (list :ids (vector id))
                                   (lambda (result)
                                     (when (= 200000 (length (plist-get
                                                              (plist-get
                                                               (aref (plist-get result :tasks) 0)
                                                               :result)
                                                              :stdout)))
                                       (cl-incf count)))))
              (accept-process-output nil 0.01)
              (ob-mesos--ensure-server other)
              (ob-mesos--disconnect other)
              (ob-mesos-tests--wait
               (lambda () (null (ob-mesos--server-connection other)))))))
      (ob-mesos--disconnect other))
    (ob-mesos-tests--wait (lambda () (= count 25)))))

(ert-deftest ob-mesos-an-answer-is-dealt-with-outside-of-the-process-filter ()
  (let (frames)
    (ob-mesos--request (ob-mesos--server) :task/list (make-hash-table :size 1)
                       (lambda (_result)
                         (mapbacktrace (lambda (_evald function _arguments _flags)
                                         (push function frames)))))
    (ob-mesos-tests--wait (lambda () frames))
    (should-not (memq 'jsonrpc--process-filter frames))))

(ert-deftest ob-mesos-kept-tasks-are-picked-up-by-the-next-server ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block "" "echo begun; sleep 1; echo ended")
    (org-babel-execute-src-block)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait
       (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (let ((process (jsonrpc--process (ob-mesos--server-connection (ob-mesos--server)))))
        (ob-mesos--disconnect (ob-mesos--server))
        (ob-mesos-tests--wait (lambda () (not (process-live-p process)))))
      (clrhash ob-mesos--tasks)
      (ob-mesos-reconnect)
      (ob-mesos-tests--settle)
      (should (equal (ob-mesos-tests--results) ": begun\n: ended\n")))))

;; `with-tramp-suspended-timers' binds these two while TRAMP sends a file, and
;; Emacs runs process filters then, but no timers.
(ert-deftest ob-mesos-nothing-is-lost-while-timers-are-suspended ()
  (let ((mark (make-temp-name (expand-file-name "mark" temporary-file-directory))))
    (ob-mesos-tests--with
        (concat (ob-mesos-tests--block "" (format "echo one; touch %s" mark)) "\n"
                (ob-mesos-tests--block "" "echo two"))
      (ob-mesos--call (ob-mesos--server) :task/list (make-hash-table :size 1))
      (let ((process (jsonrpc--process (ob-mesos--server-connection (ob-mesos--server)))))
        (ob-mesos-execute)
        (let (timer-list timer-idle-list)
          (cl-loop repeat 600 until (file-exists-p mark)
                   do (accept-process-output process 0.05 nil 1))
          ;; The server tells of the end; nothing shows that while timers wait.
          (let ((until (+ (float-time) 1)))
            (while (< (float-time) until)
              (accept-process-output process 0.05 nil 1)))))
      (ob-mesos-tests--settle)
      (search-forward "#+begin_src" nil nil 2)
      (ob-mesos-execute)
      ;; The same for a caller that waits within, though there are no timers outside.
      (mapc #'cancel-timer timer-list)
      (let ((until (+ (float-time) ob-mesos-tests--patience))
            timer-list timer-idle-list)
        (ob-mesos--wait (lambda () (or (null (ob-mesos--running))
                                       (> (float-time) until)))))
      (should (string-match-p "^: one\n\\(?:.*\n\\)*: two$" (buffer-string))))
    (delete-file mark)))

(provide 'ob-mesos-failure-tests)
;;; ob-mesos-failure-tests.el ends here

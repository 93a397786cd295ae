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

;;;; What cannot be sent, and functions of the user that fail

(ert-deftest ob-mesos-what-is-no-text-is-the-failure-of-its-block-alone ()
  (let ((byte (string (unibyte-char-to-multibyte #xe9))))
    (ob-mesos-tests--with
        (concat "#+name: caf" byte "\n" (ob-mesos-tests--block "" "echo bad")
                "\n" (ob-mesos-tests--block (concat ":env X=a" byte) "echo worse")
                "\n" (ob-mesos-tests--block "" "echo good"))
      (ob-mesos-execute-buffer)
      (ob-mesos-tests--wait
       (lambda () (string-match-p "^: good$" (buffer-string))))
      (ob-mesos-tests--settle)
      (should (= 2 (how-many "^: mesos: .* ERROR: This is not Unicode text: .*351"
                             (point-min) (point-max)))))))

;; The test stands in for C-g, which sets `quit-flag'.
(defmacro ob-mesos-tests--quitting-in (function &rest body)
  "Quit in the next call of FUNCTION in work of a timer while BODY runs.
BODY is evaluated again if it is quit itself: that is what was to be quit."
  (declare (indent 1))
  `(let* ((quits 0)
          (quit (lambda (&rest _)
                  (when (and ob-mesos--working (= 1 (cl-incf quits)))
                    (setq quit-flag t)))))
     (advice-add ,function :before quit)
     (unwind-protect
         (progn
           (condition-case nil
               (progn ,@body)
             (quit ,@body))
           (should (> quits 0)))
       (setq quit-flag nil)
       (advice-remove ,function quit))))

(ert-deftest ob-mesos-quitting-something-else-loses-no-task ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":foreach i=(number-sequence 1 300)" "echo e$i")
    (let ((ob-mesos--slice 0.008))
      (search-forward "#+begin_src")
      (ob-mesos-execute)
      (ob-mesos-tests--quitting-in 'ob-mesos--make-block
        (ob-mesos-tests--settle))
      (should (string-match-p "^.*\\_<e300\\_>" (buffer-string)))))
  (ob-mesos-tests--with
      (concat "#+name: a\n" (ob-mesos-tests--block "" "echo 5")
              "\n#+name: b\n" (ob-mesos-tests--block ":var x=a" "echo b $x"))
    (search-forward "name: b")
    (forward-line 1)
    (ob-mesos-execute)
    (ob-mesos-tests--quitting-in 'ob-mesos--keep-promises
      (ob-mesos-tests--settle))
    (should (string-match-p "^: b 5$" (buffer-string))))
  (ob-mesos-tests--with (ob-mesos-tests--block "" "echo hi")
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--quitting-in 'ob-mesos--finish-value
      (ob-mesos-tests--settle))
    (should (string-match-p "^: hi$" (buffer-string)))))

(ert-deftest ob-mesos-quitting-something-else-quits-no-function-of-the-user ()
  (let* ((seen 0)
         (ob-mesos-after-task-functions (list (lambda (_) (cl-incf seen)))))
    (ob-mesos-tests--with
        (concat "#+name: twice\n#+begin_src emacs-lisp :var x=\"\"\n(concat x x)\n#+end_src\n\n"
                (ob-mesos-tests--block ":results output :post twice(x=*this*)" "printf hi"))
      (search-forward "mesos")
      (ob-mesos-execute)
      (ob-mesos-tests--quitting-in 'ob-mesos--finish-value
        (ob-mesos-tests--settle))
      (should (string-match-p "^: hihi$" (buffer-string)))
      (should (= 1 seen)))))

(ert-deftest ob-mesos-a-function-of-the-user-that-fails-stops-nothing-else ()
  (let ((debug-on-error nil)
        (ob-mesos-after-task-functions (list (lambda (_) (error "Mine")))))
    (ob-mesos-tests--with
        (concat "#+name: a\n" (ob-mesos-tests--block "" "echo 5")
                "\n#+name: b\n" (ob-mesos-tests--block ":var x=a" "echo b $x"))
      (add-hook 'org-babel-after-execute-hook (lambda () (error "Mine too")) nil t)
      (search-forward "name: b")
      (forward-line 1)
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-match-p "^: b 5$" (buffer-string)))
      (should (cl-every #'ob-mesos-task-inserted
                        (cl-remove-if-not #'ob-mesos-task-block-marker
                                          (hash-table-values ob-mesos--tasks)))))))

(ert-deftest ob-mesos-a-server-that-cannot-start-again-ends-what-waits ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "sleep 600")
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (let* ((task (car (ob-mesos--running)))
           (server (ob-mesos-task-server task))
           (id (ob-mesos-task-id task)))
      (ob-mesos-tests--wait (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (let ((ob-mesos-server-jar "/nowhere/ob-mesos-server.jar"))
        (signal-process (jsonrpc--process (ob-mesos--server-connection server)) 'KILL)
        (ob-mesos-tests--wait (lambda () (ob-mesos-task-done task)))
        (should (string-search "ERROR: The server does not start: " (buffer-string))))
      (ob-mesos--call server :task/kill (list :ids (vector id))))))

(ert-deftest ob-mesos-a-text-that-looks-like-a-large-group-is-no-large-group ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "echo hi")
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (let ((before (hash-table-count ob-mesos--tasks)))
      (goto-char (point-max))
      (insert "\n: mesos:x-aaaaaaaaaa RUNNING 0 of 300000 done\n")
      (ob-mesos-reconnect)
      (should (< (hash-table-count ob-mesos--tasks) (+ before 10010)))
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-an-answer-counts-for-one-exit-only ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "sleep 600")
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (let ((noninteractive nil) (ob-mesos-on-exit 'ask))
      (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) t)))
        (should (ob-mesos--query-exit)))
      (should ob-mesos--kill-at-exit)
      ;; Something else has called the exit off.
      (run-hooks 'post-command-hook)
      (should-not ob-mesos--kill-at-exit))
    (ob-mesos-kill)
    (ob-mesos-tests--settle)))

(ert-deftest ob-mesos-the-password-of-zookeeper-is-in-no-argument-and-no-document ()
  (let* ((master "zk://me:s3cret@127.0.0.1:1/mesos")
         (server (ob-mesos--server master))
         (task (ob-mesos-task--make :id "a" :master master)))
    (unwind-protect
        (progn
          (should-not (string-search "s3cret" (format "%S" (ob-mesos--command server ""))))
          (should-not (string-search "s3cret" (format "%S" (ob-mesos--provenance task))))
          (should-not (string-search "s3cret" (ob-mesos--cluster-state server))))
      (setq ob-mesos--servers (delq server ob-mesos--servers)))))

(ert-deftest ob-mesos-a-log-that-is-shown-twice-has-its-text-once ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block "" "for i in 1 2 3 4; do echo line $i; sleep 0.5; done")
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (let ((task (car (ob-mesos--running))))
      (ob-mesos-tests--wait (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (save-window-excursion
        (dotimes (_ 2)
          (ob-mesos-log-show (ob-mesos-task-server task) (ob-mesos-task-id task) "stdout"))
        (let ((log (current-buffer)))
          (ob-mesos-tests--wait
           (lambda () (with-current-buffer log
                        (string-search "line 4" (buffer-string)))))
          (should (equal "line 1\nline 2\nline 3\nline 4\n"
                         (with-current-buffer log (buffer-string))))
          (kill-buffer log)))
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-a-failed-read-of-a-log-is-tried-again ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "echo first; sleep 600")
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (let* ((task (car (ob-mesos--running)))
           (failures 0)
           (fail (lambda (request server method params success &optional failure)
                   (if (and (eq method :task/read) failure (= 1 (cl-incf failures)))
                       (funcall failure "The agent does not answer")
                     (funcall request server method params success failure)))))
      (ob-mesos-tests--wait (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
      (unwind-protect
          (save-window-excursion
            (advice-add 'ob-mesos--request :around fail)
            (ob-mesos-log-show (ob-mesos-task-server task) (ob-mesos-task-id task) "stdout")
            (let ((log (current-buffer)))
              (ob-mesos-tests--wait
               (lambda () (with-current-buffer log
                            (string-search "first" (buffer-string)))))
              (kill-buffer log)))
        (advice-remove 'ob-mesos--request fail))
      (ob-mesos-kill)
      (ob-mesos-tests--settle))))

(ert-deftest ob-mesos-an-id-is-never-an-option ()
  (should-not (string-prefix-p "-" (ob-mesos--new-id "-x")))
  (should-not (string-prefix-p "-" (ob-mesos--new-id ".-x"))))

(ert-deftest ob-mesos-the-doctor-works-in-a-directory-that-has-vanished ()
  (let ((default-directory "/nowhere/at/all/"))
    (should (eq 'good (car (ob-mesos-doctor--java))))))

;;;; Text that looks like a placeholder

(ert-deftest ob-mesos-earlier-results-that-look-like-last-lines-stay ()
  (ob-mesos-tests--with
      (concat (ob-mesos-tests--block ":results output prepend" "echo new")
              "\n#+RESULTS:\n: | old | table |\n: | 1 | 2 |\n: end\n")
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (string-suffix-p "\n#+RESULTS:\n: new\n: | old | table |\n: | 1 | 2 |\n: end\n"
                             (buffer-string)))))

(ert-deftest ob-mesos-what-wraps-an-inline-result-can-have-spaces ()
  (let ((org-babel-inline-result-wrap "/see: %s/"))
    (ob-mesos-tests--with "a src_mesos{echo hi} b\n"
      (search-forward "src_")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-search "{{{results(/see: hi/)}}} b" (buffer-string))))))

(provide 'ob-mesos-failure-tests)
;;; ob-mesos-failure-tests.el ends here

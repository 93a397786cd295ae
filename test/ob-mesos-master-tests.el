;;; ob-mesos-master-tests.el --- The same document on a master  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; With OB_MESOS_TEST_MASTER set to host:port these tests run on that master;
;; without it on one that the Java tests have: an HTTP face over the embedded
;; cluster.

;;; Code:

(require 'ob-mesos-tests)

(defun ob-mesos-master-tests--start (directory port)
  "Start a master that works in DIRECTORY and listens on PORT, 0 for any.
Return its process and its port."
  (let* ((target (file-name-directory ob-mesos-server-jar))
         (output "")
         (process
          (make-process
           :name "test-master"
           :command (list ob-mesos-java "-cp"
                          (concat ob-mesos-server-jar ":"
                                  (expand-file-name "test-classes" target))
                          "org.obmesos.cluster.TestMasterMain"
                          directory (number-to-string port))
           :connection-type 'pipe :noquery t
           :stderr (get-buffer-create " *test master*")
           :filter (lambda (_process text) (setq output (concat output text))))))
    (ob-mesos-tests--wait (lambda () (string-suffix-p "\n" output)))
    (cons process (string-to-number output))))

(defmacro ob-mesos-master-tests--with (&rest body)
  "Run BODY with a master; MASTER is bound to its address."
  (declare (indent 0))
  `(let* ((given (getenv "OB_MESOS_TEST_MASTER"))
          (directory (make-temp-file "ob-mesos-master" t))
          (started (unless given (ob-mesos-master-tests--start directory 0)))
          (master (or given (format "localhost:%d" (cdr started))))
          ;; The agent behind this master starts no executors.
          (ob-mesos-server-arguments
           (append (unless given '("--share-limit" "0,0"))
                   ob-mesos-server-arguments)))
     (ignore directory)
     (unwind-protect
         (progn ,@body)
       (ob-mesos--disconnect (ob-mesos--server master))
       (when started
         (process-send-eof (car started))))))

(defun ob-mesos-master-tests--document (master text)
  "A document for MASTER with TEXT."
  (concat "#+MASTER: " master "\n\n" text))

(ert-deftest ob-mesos-the-same-document-runs-on-a-master ()
  :tags '(master)
  (ob-mesos-master-tests--with
    (ob-mesos-tests--with
        (ob-mesos-master-tests--document
         master
         (concat "#+name: say\n"
                 (ob-mesos-tests--block ":var who=\"world\"" "echo \"hello, $who\"")
                 "\n#+call: say(who=\"caller\")\n\n"
                 (ob-mesos-tests--block ":results table" "echo 1 2; echo 3 4")
                 "\n"
                 (ob-mesos-tests--block "" "printf 'ü\\377\\n'")
                 "\n"
                 (ob-mesos-tests--block "" "echo no further >&2; exit 3")
                 "\n"
                 (ob-mesos-tests--block ":master local" "echo \"$MESOS_TASK_ID\"")))
      (let ((tasks (ob-mesos--submit-buffer-and-wait)))
        (ob-mesos-tests--settle)
        (should (equal (list master master master master master "local")
                       (mapcar #'ob-mesos-task-master tasks))))
      (let ((text (buffer-string)))
        (dolist (result '("#+RESULTS: say\n: hello, world\n" ": hello, caller\n"
                          "| 1 | 2 |\n| 3 | 4 |\n" ": ü\ufffd\n"
                          ": exit status: 3\n: stderr:\n: no further\n"))
          (should (string-search result text)))))))

(ert-deftest ob-mesos-what-is-asked-of-a-server-that-ends-is-asked-of-the-next ()
  :tags '(master)
  (ob-mesos-master-tests--with
    (ob-mesos-tests--with
        (ob-mesos-master-tests--document
         master (ob-mesos-tests--block "" "echo by the next"))
      (ob-mesos--call (ob-mesos--server master) :task/list
                      (make-hash-table :size 1))
      (ob-mesos--disconnect (ob-mesos--server master))
      (ob-mesos-tests--go "#+begin_src")
      (org-babel-execute-src-block)
      (ob-mesos-tests--settle)
      (should (equal ": by the next\n" (ob-mesos-tests--results))))))

(ert-deftest ob-mesos-a-server-may-end-before-it-is-ready ()
  (let ((server (ob-mesos--server "localhost:1")))
    (ob-mesos--ensure-server server)
    (ob-mesos--disconnect server)
    (ob-mesos-tests--wait (lambda () (null (ob-mesos--server-connection server))))
    (should-not (ob-mesos--server-ready server))
    (should (ob-mesos--call server :task/list (make-hash-table :size 1)))
    (ob-mesos--disconnect server)))

(ert-deftest ob-mesos-tails-logs-and-kills-reach-a-master ()
  :tags '(master)
  (ob-mesos-master-tests--with
    (ob-mesos-tests--with
        (ob-mesos-master-tests--document
         master (ob-mesos-tests--block "" "echo begun; sleep 1000"))
      (ob-mesos-tests--go "#+begin_src")
      (org-babel-execute-src-block)
      (let* ((task (car (ob-mesos--running)))
             (id (ob-mesos-task-id task)))
        (ob-mesos-tests--wait
         (lambda () (equal "begun" (ob-mesos-task-tail task))))
        (should (equal "begun\n"
                       (base64-decode-string
                        (plist-get (ob-mesos--call
                                    (ob-mesos--server master) :task/read
                                    (list :id id :path "stdout" :offset 0
                                          :length 100))
                                   :data))))
        (should (cl-find "stdout"
                         (plist-get (ob-mesos--call (ob-mesos--server master)
                                                    :task/files
                                                    (list :id id :path ""))
                                    :files)
                         :test #'equal
                         :key (lambda (file) (plist-get file :path))))
        (ob-mesos--show task)
        (ob-mesos-kill)
        (ob-mesos-tests--settle)
        (should (string-match-p "KILLED" (ob-mesos-tests--results)))))))

(ert-deftest ob-mesos-a-task-has-a-page-and-its-agent-metrics ()
  :tags '(master)
  (ob-mesos-master-tests--with
    (ob-mesos-tests--with
        (ob-mesos-master-tests--document
         master (ob-mesos-tests--block "" "sleep 1000"))
      (ob-mesos-tests--go "#+begin_src")
      (org-babel-execute-src-block)
      (let ((task (car (ob-mesos--running))) visited)
        (ob-mesos-tests--wait (lambda () (equal "RUNNING" (ob-mesos-task-state task))))
        (cl-letf (((symbol-function 'browse-url)
                   (lambda (url &rest _) (setq visited url))))
          (ob-mesos-open-ui))
        (should (string-match-p
                 (format "\\`http://[^/]+:[0-9]+/#/agents/%s/frameworks/.*/executors/%s\\'"
                         (regexp-quote (plist-get (ob-mesos-task-data task) :agent))
                         (regexp-quote (ob-mesos-task-id task)))
                 visited))
        (let (metrics)
          ;; An agent that has not answered yet has none: the request does not wait.
          (ob-mesos-tests--wait
           (lambda ()
             (setq metrics (plist-get
                            (aref (plist-get (ob-mesos--call (ob-mesos--server master)
                                                             :agent/list
                                                             (make-hash-table :size 1))
                                             :agents)
                                  0)
                            :metrics))
             (plist-get metrics :memTotal)))
          (should (< 0 (plist-get metrics :memTotal)))
          (should (numberp (plist-get metrics :load))))
        (ob-mesos-kill)
        (ob-mesos-tests--settle)))))

(ert-deftest ob-mesos-blocks-wait-for-a-master-that-is-away ()
  (let ((process-environment ; It is a master of its own that goes away.
         (cons "OB_MESOS_TEST_MASTER" process-environment)))
    (ob-mesos-master-tests--with
      (process-send-eof (car started))
      (ob-mesos-tests--wait (lambda () (not (process-live-p (car started)))))
      (ob-mesos-tests--with
          (ob-mesos-master-tests--document
           master (ob-mesos-tests--block "" "echo at last"))
        (ob-mesos-tests--go "#+begin_src")
        (org-babel-execute-src-block)
        (let ((server (ob-mesos--server master)))
          (ob-mesos-tests--wait (lambda () (ob-mesos--server-trouble server)))
          (should (string-match-p
                   "No connection to the master at localhost:[0-9]+: connection refused"
                   (ob-mesos--server-trouble server)))
          (ob-mesos--update-mode-line)
          (should (equal " mesos:1!" (substring-no-properties ob-mesos-mode-line)))
          (setq started (ob-mesos-master-tests--start directory (cdr started)))
          (ob-mesos-tests--settle)
          (should (equal ": at last\n" (ob-mesos-tests--results)))
          (should-not (ob-mesos--server-trouble server)))))))

(ert-deftest ob-mesos-insecure-is-loud ()
  (let* ((ob-mesos-server-arguments
          (append '("--insecure") ob-mesos-server-arguments))
         (server (ob-mesos--server "https://localhost:1"))
         (warned nil))
    (cl-letf (((symbol-function 'display-warning)
               (lambda (_type message &rest _) (setq warned message))))
      (ob-mesos--ensure-server server)
      (unwind-protect
          (ob-mesos-tests--wait (lambda () warned))
        (ob-mesos--disconnect server)))
    (should (string-match-p "Certificates are not verified.*https://localhost:1"
                            warned))))

(ert-deftest ob-mesos-the-documents-address-is-where-libmesos-is-called-back ()
  (ob-mesos-tests--with
      (concat "#+MASTER: localhost:1\n#+ADDRESS: 127.0.0.9\n"
              (ob-mesos-tests--block "" "true"))
    (ob-mesos-tests--go "#+begin_src")
    (org-babel-execute-src-block)
    (let ((server (ob-mesos--server "localhost:1"))
          (task (car (ob-mesos--running))))
      (unwind-protect
          (ob-mesos-tests--wait
           (lambda ()
             (with-temp-buffer
               (insert-file-contents-literally
                (format "/proc/%d/environ"
                        (process-id (jsonrpc--process
                                     (ob-mesos--server-connection server)))))
               (search-forward "\0LIBPROCESS_IP=127.0.0.9\0" nil t))))
        (ob-mesos--call server :task/kill
                        (list :ids (vector (ob-mesos-task-id task))))
        (ob-mesos-tests--settle)
        (ob-mesos--disconnect server)))))

(ert-deftest ob-mesos-values-go-from-one-cluster-to-another-and-so-do-failures ()
  :tags '(master)
  (ob-mesos-master-tests--with
    (dolist (case '(("echo 20" . "^: 21$")
                    ("exit 3" . "ERROR: The task needs first-.*, which is FAILED")))
      (ob-mesos-tests--with
          (concat "#+name: first\n"
                  (ob-mesos-tests--block (concat ":master " master) (car case))
                  "\n#+name: second\n"
                  (ob-mesos-tests--block ":master local :var x=first"
                                         "echo $((x + 1))"))
        (ob-mesos-tests--go "#+name: second")
        (forward-line 1)
        (ob-mesos-execute)
        (ob-mesos-tests--settle)
        (should (string-match-p (cdr case) (buffer-string)))))))

(ert-deftest ob-mesos-run-says-that-the-master-is-away ()
  (let* ((file (make-temp-file "ob-mesos" nil ".org"
                               (ob-mesos-tests--block "" "echo hi")))
         (said "")
         (run (ob-mesos-tests--elsewhere
                (make-process
                 :name "run" :noquery t :connection-type 'pipe
                 :command (ob-mesos-tests--emacs "-f" "ob-mesos-batch-run" file
                                                 "--master" "localhost:1")
                 :filter (lambda (_process text) (setq said (concat said text)))))))
    (unwind-protect
        (ob-mesos-tests--wait
         (lambda ()
           (string-search "No connection to the master at localhost:1: connection refused"
                          said)))
      (delete-process run)
      (delete-file file))))

(defun ob-mesos-master-tests--kill-server (server)
  "Kill SERVER at some moment of the next 150 ms, once it is ready."
  (ob-mesos-tests--wait (lambda () (ob-mesos--server-ready server)))
  (let ((moment (+ (float-time) (/ (random 150) 1000.0))))
    (ob-mesos-tests--wait (lambda () (> (float-time) moment))))
  (signal-process (jsonrpc--process (ob-mesos--server-connection server)) 9)
  (ob-mesos-tests--wait (lambda () (not (ob-mesos--server-ready server)))))

(ert-deftest ob-mesos-twenty-kills-lose-nothing-and-run-nothing-twice ()
  :tags '(master)
  (ob-mesos-master-tests--with
    (dolist (where (list "local" master))
      (let ((ran (file-name-as-directory (make-temp-file "ob-mesos-ran" t)))
            (server (ob-mesos--server where)))
        (ob-mesos-tests--with
            (ob-mesos-master-tests--document
             where
             (mapconcat
              (lambda (n)
                (ob-mesos-tests--block
                 ":cpus 0.05 :mem 16"
                 (format "echo x >> %s%d; sleep 0.0%d; echo result %d"
                         ran n (% n 10) n)))
              (number-sequence 1 100) "\n"))
          (let ((executables (org-element-map (org-element-parse-buffer 'element)
                                 'src-block
                               (lambda (block)
                                 (copy-marker (org-element-property :begin block))))))
            (dotimes (_ 20)
              (dotimes (_ 5)
                (goto-char (pop executables))
                (org-babel-execute-src-block))
              (ob-mesos-master-tests--kill-server server)))
          (ob-mesos-tests--settle)
          (dotimes (n 100)
            (goto-char (point-min))
            (search-forward (format "; echo result %d\n#+end_src\n\n#+RESULTS:\n" (1+ n)))
            (should (equal (buffer-substring (point) (line-end-position))
                           (format ": result %d" (1+ n))))
            (should (equal "x\n"
                           (with-temp-buffer
                             (insert-file-contents (format "%s%d" ran (1+ n)))
                             (buffer-string))))))
        (delete-directory ran t)))))

(ert-deftest ob-mesos-a-secret-is-in-nobodys-arguments ()
  (let* ((auth-sources (list (make-temp-file "authinfo" nil nil
                                             "machine master.invalid login me \
password geheim\n")))
         (words (ob-mesos--credentials "https://master.invalid:5050")))
    (should (equal words '("MESOS_PRINCIPAL=me" "MESOS_SECRET=geheim")))
    (should (equal words (ob-mesos--credentials "zk://u:p@master.invalid:2181/mesos")))
    (should-not (ob-mesos--credentials "local"))
    (should-not (string-search
                 "geheim"
                 (format "%S" (ob-mesos--command
                               (ob-mesos--server-make
                                :master "https://master.invalid:5050")
                               "/nonexistent"))))
    (delete-file (car auth-sources))))

(ert-deftest ob-mesos-what-is-no-address-is-refused-at-once ()
  (dolist (master '("a b" "ftp://a" "zk://a" "a:port" "a,,b" 5050))
    (should (string-search ":master"
                           (error-message-string
                            (should-error (ob-mesos--master
                                           (list (cons :master master)))
                                          :type 'user-error)))))
  (dolist (master '("local" "a" "a:5050" "https://a:5050" "a:1,b:2" "[::1]:5050"
                    "zk://u:p@a:2181,b:2181/mesos"))
    (should (equal master (ob-mesos--master (list (cons :master master)))))))

(provide 'ob-mesos-master-tests)
;;; ob-mesos-master-tests.el ends here

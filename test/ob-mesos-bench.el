;;; ob-mesos-bench.el --- How fast, beside ob-shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Prints a table.  ob-async takes part where OB_ASYNC_DIR names a checkout of
;; it, and after colons those of what it needs, async and dash.

;;; Code:

(require 'cl-lib)
(require 'ob-mesos)
(require 'ob-mesos-session)

(ob-mesos-global-mode)
(require 'ob-shell)

(defmacro ob-mesos-bench--time (&rest body)
  "Seconds that BODY takes."
  `(let ((start (float-time)))
     ,@body
     (- (float-time) start)))

(defun ob-mesos-bench--blocks (lang header count body)
  "A document with COUNT blocks of LANG with HEADER and BODY."
  (mapconcat (lambda (_) (format "#+begin_src %s %s\n%s\n#+end_src\n" lang header body))
             (number-sequence 1 count) "\n"))

(defmacro ob-mesos-bench--in (text &rest body)
  "In an Org buffer with TEXT run BODY."
  (declare (indent 1))
  `(with-temp-buffer
     (let ((org-inhibit-startup t)) (org-mode))
     (insert ,text)
     (goto-char (point-min))
     ,@body))

(defun ob-mesos-bench--settle (&optional done)
  "Wait until no task runs, or DONE returns non-nil.
Return the longest time, in seconds, that a timer of 2 ms came late."
  (let ((longest 0) (last (float-time)) (on t) (left nil))
    (cl-labels ((tick ()
                  (let ((now (float-time)))
                    (setq longest (max longest (- now last))
                          last now))
                  ;; A repeating timer would try to make up for lost time.
                  (when on (run-at-time 0.002 nil #'tick)))
                (settled-p ()
                  (while (and left (ob-mesos-task-done (car left)))
                    (pop left))
                  ;; To search all tasks each time would be measured too.
                  (null (or left (setq left (ob-mesos--running))))))
      (tick)
      (while (not (if done (funcall done) (settled-p)))
        (accept-process-output nil 0.001))
      (setq on nil)
      (max longest (- (float-time) last)))))

(defun ob-mesos-bench--median (numbers)
  "The median of NUMBERS."
  (nth (/ (length numbers) 2) (sort numbers #'<)))

(defun ob-mesos-bench--row (what goal ours &optional shell async)
  "Print a row: WHAT was measured, the GOAL, and the figures.
OURS, and those of ob-SHELL and ob-ASYNC, are in seconds or words."
  (princ (apply #'format "| %-46s | %8s | %9s | %9s | %9s |\n" what goal
                (mapcar (lambda (figure)
                          (if (numberp figure) (format "%.4f s" figure)
                            (or figure "-")))
                        (list ours shell async)))))

(defvar ob-mesos-bench--async-p
  (when (getenv "OB_ASYNC_DIR")
    (dolist (directory (parse-colon-path (getenv "OB_ASYNC_DIR")))
      (add-to-list 'load-path directory))
    (require 'ob-async)
    (add-hook 'ob-async-pre-execute-src-block-hook (lambda () (require 'ob-shell))))
  "Whether ob-async takes part.")

(defvar ob-async-pre-execute-src-block-hook)

(defun ob-mesos-bench--async (count)
  "Run COUNT blocks with ob-async.
Return the seconds until they are on their way and until all results are
in, or nil if it does not take part."
  (when ob-mesos-bench--async-p
    (ob-mesos-bench--in (ob-mesos-bench--blocks "sh" ":async :results output"
                                                count "echo hi")
      (let* ((start (float-time))
             (sent (ob-mesos-bench--time (org-babel-execute-buffer))))
        (ob-mesos-bench--settle
         (lambda ()
           (= count (how-many "^: hi$" (point-min) (point-max)))))
        (list sent (- (float-time) start))))))

(defun ob-mesos-bench--shell (count)
  "Seconds ob-shell takes for COUNT blocks, one after the other."
  (ob-mesos-bench--in (ob-mesos-bench--blocks "sh" ":results output" count "echo hi")
    (ob-mesos-bench--time (org-babel-execute-buffer))))

(defun ob-mesos-bench--start ()
  "Seconds from the start of the server to its first answer."
  (let ((start (float-time)))
    (ob-mesos--connect (ob-mesos--server))
    (while (not (ob-mesos--server-ready (ob-mesos--server)))
      (accept-process-output nil 0.001))
    (- (float-time) start)))

(defun ob-mesos-bench--memory ()
  "The server's resident memory, in words."
  (let ((pid (process-id (jsonrpc--process
                          (ob-mesos--server-connection (ob-mesos--server))))))
    (format "%d MiB"
            (/ (cdr (assq 'rss (process-attributes pid))) 1024))))

(defun ob-mesos-bench--named (name header body)
  "A block of the language LANG called NAME with HEADER and BODY."
  (format "#+name: %s\n#+begin_src LANG :results output %s\n%s\n#+end_src\n\n"
          name header body))

(defun ob-mesos-bench--calls (count)
  "A block and COUNT lines that call it."
  (concat (ob-mesos-bench--named "hi" "" "echo hi")
          (mapconcat (lambda (_) "#+call: hi()\n\n") (number-sequence 1 count) "")))

(defun ob-mesos-bench--chain (count)
  "COUNT blocks, each of which needs the one before."
  (concat (ob-mesos-bench--named "b1" "" "echo 1")
          (mapconcat (lambda (n)
                       (ob-mesos-bench--named (format "b%d" n)
                                              (format ":var x=b%d" (1- n))
                                              "echo $((x + 1))"))
                     (number-sequence 2 count) "")))

(defun ob-mesos-bench--diamond (count)
  "COUNT blocks: one that all but it need, and one that needs all others."
  (let ((middle (number-sequence 2 (1- count))))
    (concat (ob-mesos-bench--named "top" "" "echo 1")
            (mapconcat (lambda (n)
                         (ob-mesos-bench--named (format "m%d" n) ":var x=top"
                                                (format "echo $((x + %d))" n)))
                       middle "")
            (ob-mesos-bench--named
             "bottom"
             (mapconcat (lambda (n) (format ":var m%d=m%d" n n)) middle " ")
             "echo $((m2 + m3))"))))

(defun ob-mesos-bench--sync (text)
  "Seconds that ob-shell takes for TEXT, or in a word what keeps it from that."
  (ob-mesos-bench--in (string-replace "LANG" "sh" text)
    (let* ((end (+ (float-time) 20))
           (org-babel-after-execute-hook
            (list (lambda ()
                    (when (> (float-time) end) (throw 'late "over 20 s"))))))
      (condition-case nil
          (catch 'late
            (ob-mesos-bench--time (org-babel-execute-buffer)))
        (error "too deep")))))

(defun ob-mesos-bench--whole (what goal text &optional shell)
  "Run TEXT at once and print rows on WHAT, with GOAL, beside those of SHELL."
  (ob-mesos-bench--in (string-replace "LANG" "mesos" text)
    (let ((start (float-time)) (ob-mesos--slice 0.008) submitted longest)
      (ob-mesos--submit-buffer (lambda (_) (setq submitted t)))
      (setq longest (ob-mesos-bench--settle (lambda () submitted))
            submitted (- (float-time) start)
            longest (max longest (ob-mesos-bench--settle)))
      (ob-mesos-bench--row (concat what " submitted") "-" submitted)
      (ob-mesos-bench--row "  all results in" goal (- (float-time) start) shell)
      (ob-mesos-bench--row "  longest pause of Emacs meanwhile" "0.05 s" longest))))

(defun ob-mesos-bench--export (lang)
  "Seconds to export ten blocks of LANG that take 2 s each."
  (require 'ox-html)
  (ob-mesos-bench--in
      (ob-mesos-bench--blocks lang ":results output :exports results" 10
                              "sleep 2; echo done")
    (ob-mesos-bench--time (org-export-as 'html))))

(defun ob-mesos-bench--flow ()
  "Measure blocks that need each other, fan-out and export."
  (ob-mesos-bench--whole
   "1,000 elements of :foreach" "10 s"
   (ob-mesos-bench--named "each" ":foreach n=(number-sequence 1 1000)" "echo $n")
   ;; What comes nearest.
   (ob-mesos-bench--sync (ob-mesos-bench--calls 1000)))
  (ob-mesos-bench--whole
   "10,000 elements of :foreach" "-"
   (ob-mesos-bench--named "each" ":foreach n=(number-sequence 1 10000)" "echo $n"))
  (ob-mesos-bench--whole
   "200 blocks in a chain" "-" (ob-mesos-bench--chain 200)
   (ob-mesos-bench--sync (ob-mesos-bench--chain 200)))
  (ob-mesos-bench--whole
   "200 blocks in a diamond" "-" (ob-mesos-bench--diamond 200)
   (ob-mesos-bench--sync (ob-mesos-bench--diamond 200)))
  (ob-mesos-bench--row "export of ten blocks of 2 s" "-"
                       (let ((noninteractive nil))
                         (ob-mesos-bench--export "mesos"))
                       (ob-mesos-bench--export "sh")))

(defun ob-mesos-bench ()
  "Measure and print the table; for --batch."
  (let ((ob-mesos-server-arguments
         (list "--state-dir" (make-temp-file "ob-mesos-bench" t)))
        (org-confirm-babel-evaluate nil)
        (inhibit-message t))
    (ob-mesos--ensure-archive)
    (ob-mesos-bench--row "what" "goal" "ob-mesos" "ob-shell" "ob-async")
    (princ (format "|%s|\n" (make-string 95 ?-)))
    (ob-mesos-bench--row "server start to first answer" "0.25 s"
                         (ob-mesos-bench--start) nil)
    (ob-mesos-bench--row "server memory after the start" "120 MiB"
                         (ob-mesos-bench--memory) nil)
    (ob-mesos-bench--in (ob-mesos-bench--blocks "mesos" "" 1 "echo hi")
      (let (returns results)
        (dotimes (_ 21)
          (let ((start (float-time)))
            (push (ob-mesos-bench--time (org-babel-execute-src-block)) returns)
            (ob-mesos-bench--settle)
            (push (- (float-time) start) results)))
        (let ((shell (ob-mesos-bench--median
                      (cl-loop repeat 21 collect (ob-mesos-bench--shell 1))))
              (async (and ob-mesos-bench--async-p
                          (cl-loop repeat 5 collect (ob-mesos-bench--async 1)))))
          (ob-mesos-bench--row "C-c C-c to prompt back, median of 21" "0.005 s"
                               (ob-mesos-bench--median returns) shell
                               (and async (ob-mesos-bench--median
                                           (mapcar #'car async))))
          (ob-mesos-bench--row "echo hi to its result in the buffer, median" "0.06 s"
                               (ob-mesos-bench--median results) shell
                               (and async (ob-mesos-bench--median
                                           (mapcar #'cadr async)))))))
    (ob-mesos-bench--in (ob-mesos-bench--blocks "mesos" "" 20 "echo hi")
      (ob-mesos-bench--row "20 blocks at once, all results in" "0.4 s"
                           (ob-mesos-bench--time
                            (ob-mesos--submit-buffer-and-wait)
                            (ob-mesos-bench--settle))
                           (ob-mesos-bench--shell 20)
                           (cadr (ob-mesos-bench--async 20))))
    (ob-mesos-bench--in
        (string-replace "LANG" "mesos" (ob-mesos-bench--calls 1000))
      (let ((start (float-time)) (ob-mesos--slice 0.008) submitted longest)
        (ob-mesos--submit-buffer (lambda (_) (setq submitted t)))
        (setq longest (ob-mesos-bench--settle (lambda () submitted)))
        (ob-mesos-bench--row "1,000 call lines submitted" "1.5 s"
                             (- (float-time) start) nil)
        (ob-mesos-bench--row "  longest pause of Emacs meanwhile" "0.05 s"
                             longest nil)
        (setq longest (ob-mesos-bench--settle))
        (ob-mesos-bench--row "1,000 call lines, all results in" "10 s"
                             (- (float-time) start)
                             (ob-mesos-bench--sync (ob-mesos-bench--calls 1000)))
        (ob-mesos-bench--row "  longest pause of Emacs meanwhile" "0.05 s"
                             longest nil)))
    (ob-mesos-bench--flow)
    (ob-mesos-bench--row "server memory afterwards" "-"
                         (ob-mesos-bench--memory) nil)
    (ob-mesos-bench--in
        (ob-mesos-bench--blocks "mesos" "" 1
                                "head -c 100000000 /dev/zero | tr '\\0' x")
      (org-babel-execute-src-block)
      (ob-mesos-bench--row "a task printing 100 MB: longest pause of Emacs"
                           "0.05 s" (ob-mesos-bench--settle) nil))
    (let ((ob-mesos-session--elisp ob-mesos--directory))
      (let ((gap (cadr (ob-mesos-session-stream ob-mesos-server-jar))))
        (ob-mesos-bench--row "typing while 20 blocks stream: longest pause"
                             "0.05 s" (car gap) nil)
        (ob-mesos-bench--row "  of it garbage collection" "-" (cadr gap) nil)))))

(defun ob-mesos-bench--mesos-execute (master)
  "Seconds that Mesos' own mesos-execute takes for one command on MASTER.
Return nil if it is not installed."
  (when (executable-find "mesos-execute")
    (ob-mesos-bench--time
     (call-process "mesos-execute" nil nil nil (concat "--master=" master)
                   "--name=bench" "--command=echo hi"
                   "--resources=cpus:0.1;mem:32"))))

(defun ob-mesos-bench--on-master (what goal header count &optional peer)
  "Print a row for WHAT: COUNT blocks with HEADER, all results in.
GOAL and PEER are as in `ob-mesos-bench--row'."
  (ob-mesos-bench--in (ob-mesos-bench--blocks "mesos" header count "echo hi")
    (ob-mesos-bench--row what goal
                         (ob-mesos-bench--time
                          (ob-mesos--submit-buffer-and-wait)
                          (ob-mesos-bench--settle))
                         peer)))

(defun ob-mesos-bench-master (master)
  "Measure on the cluster of MASTER and print the table; for --batch."
  (let ((ob-mesos-server-arguments
         (list "--state-dir" (make-temp-file "ob-mesos-bench" t)))
        (ob-mesos-master master)
        (org-confirm-babel-evaluate nil)
        (inhibit-message t))
    (ob-mesos-bench--row "what" "goal" "ob-mesos" "execute" "-")
    (princ (format "|%s|\n" (make-string 95 ?-)))
    (ob-mesos-bench--start)
    (ob-mesos-bench--on-master "first block" "0.4 s" "" 1
                               (ob-mesos-bench--mesos-execute master))
    (ob-mesos-bench--row
     "echo hi to its result, median of 11" "0.06 s"
     (ob-mesos-bench--in (ob-mesos-bench--blocks "mesos" "" 1 "echo hi")
       (ob-mesos-bench--median
        (cl-loop repeat 11
                 collect (ob-mesos-bench--time (org-babel-execute-src-block)
                                               (ob-mesos-bench--settle))))))
    (ob-mesos-bench--on-master "20 blocks" "-" "" 20)
    (ob-mesos-bench--on-master "20 blocks, :executor own" "-" ":executor own" 20)
    (ob-mesos-bench--on-master "100 blocks" "1.2 s" "" 100)
    (ob-mesos-bench--on-master "1,000 blocks" "8 s" "" 1000)))

(provide 'ob-mesos-bench)
;;; ob-mesos-bench.el ends here

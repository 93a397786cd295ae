;;; ob-mesos-reuse-tests.el --- What is stale, and where results come from  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Results that are reused, groups that are completed, provenance, and large
;; groups, on the embedded cluster.

;;; Code:

(require 'ert)
(require 'ob-mesos-tests)

(defmacro ob-mesos-reuse--with (text &rest body)
  "In a document with TEXT run BODY.
RUN in TEXT is a command that notes each run in the file that `runs' counts."
  (declare (indent 1))
  `(let ((log (make-temp-file "ob-mesos-runs")))
     (cl-flet ((runs () (with-temp-buffer
                          (insert-file-contents log)
                          (count-lines (point-min) (point-max)))))
       (unwind-protect
           (ob-mesos-tests--with
               (string-replace "RUN" (format "echo run >> %s" log) ,text)
             ,@body)
         (delete-file log)))))

(defun ob-mesos-reuse--named (name header body &optional begin)
  "A block NAME with HEADER and BODY; BEGIN is its first words."
  (format "#+name: %s\n#+begin_src %s %s\n%s\n#+end_src\n\n" name
          (or begin "mesos") header body))

(defun ob-mesos-reuse--stale ()
  "Run what is stale in the buffer and wait; return the last message."
  (let (told (org-confirm-babel-evaluate nil))
    (cl-letf (((symbol-function 'message)
               (lambda (format &rest arguments)
                 (when format (setq told (apply #'format format arguments))))))
      (ob-mesos-execute-stale)
      (ob-mesos-tests--wait (lambda () (and told (string-match-p " done\\|had to" told)
                                            (string-match-p " s; \\|had to" told)))))
    told))

(defun ob-mesos-reuse--explain (name)
  "Return what is told of the block NAME."
  (goto-char (point-min))
  (search-forward (format "#+name: %s\n" name))
  (let (told)
    (cl-letf (((symbol-function 'message)
               (lambda (format &rest arguments)
                 (when format (setq told (apply #'format format arguments)))))
              ((symbol-function 'yes-or-no-p)
               (lambda (question) (error "The user is asked: %s" question))))
      (ob-mesos-explain)
      (ob-mesos-tests--wait (lambda () (and told (string-match-p " is \\| cannot " told)))))
    (replace-regexp-in-string "\\`ob-mesos: " "" told)))

(defun ob-mesos-reuse--change (from to)
  "Put TO in place of FROM in the buffer."
  (goto-char (point-min))
  (search-forward from)
  (replace-match to t t))

(defconst ob-mesos-reuse--document
  (concat (ob-mesos-reuse--named "one" "" "RUN; echo 1")
          (ob-mesos-reuse--named "two" ":var x=one" "RUN; echo \"two $x\"")
          (ob-mesos-reuse--named "three" ":after two" "RUN; echo three")
          (ob-mesos-reuse--named "four" ":mesos yes :results value"
                                 "import os\nos.system('RUN')\nreturn 4" "python")
          (ob-mesos-reuse--named "always" ":cache no" "RUN; echo always"))
  "A document whose blocks need each other.")

(ert-deftest ob-mesos-only-what-is-stale-runs ()
  (ob-mesos-reuse--with ob-mesos-reuse--document
    (should (string-match-p "5 done in" (ob-mesos-reuse--stale)))
    (should (= 5 (runs)))
    (let ((text (buffer-string)))
      (should (string-match-p "5 done (4 reused)" (ob-mesos-reuse--stale)))
      (should (equal text (buffer-string)))
      (should (= 6 (runs)))
      ;; What takes the value of another is stale if that is another value.
      (ob-mesos-reuse--change "echo 1" "echo 2")
      (should (string-match-p "5 done (1 reused)" (ob-mesos-reuse--stale)))
      (should (= 10 (runs)))
      (should (string-match-p "^: two 2$" (buffer-string)))
      ;; Also an old result is one.
      (ob-mesos-reuse--change "echo 2" "echo 1")
      (should (string-match-p "5 done (4 reused)" (ob-mesos-reuse--stale)))
      (should (equal text (buffer-string))))))

(ert-deftest ob-mesos-what-does-not-go-in-makes-nothing-stale ()
  (ob-mesos-reuse--with
      (concat (ob-mesos-reuse--named "one" ":cpus 0.1" "RUN; echo 1")
              (ob-mesos-reuse--named "two" ":results value" "RUN; echo 2"))
    (ob-mesos-reuse--stale)
    (ob-mesos-reuse--change ":cpus 0.1" ":cpus 0.2 :priority 5 :mem 64..128")
    (ob-mesos-reuse--change "#+name: one" "#+name: uno")
    (ob-mesos-reuse--change ":results value" ":results drawer")
    (should (string-match-p "2 done (2 reused)" (ob-mesos-reuse--stale)))
    (should (= 2 (runs)))))

(ert-deftest ob-mesos-a-prefix-argument-runs-what-is-cached ()
  (ob-mesos-reuse--with (ob-mesos-reuse--named "one" ":cache yes" "RUN; echo 1")
    (dolist (force '(nil nil (4)))
      (ob-mesos-tests--go "#+begin_src")
      (ob-mesos-execute force)
      (ob-mesos-tests--settle))
    (should (= 2 (runs)))
    (should (string-match-p "^#\\+RESULTS\\[[0-9a-f]\\{64\\}\\]: one\n: 1$" (buffer-string)))))

(ert-deftest ob-mesos-a-stale-block-is-explained-and-nothing-runs ()
  (ob-mesos-reuse--with
      ;; Other tests have run blocks with the other names.
      (replace-regexp-in-string "\\b\\(one\\|two\\|three\\|four\\)\\b" "x\\1"
                                ob-mesos-reuse--document)
    ;; Nothing runs, so nothing is to be confirmed.
    (let ((org-confirm-babel-evaluate t))
      (should (equal "xone is stale: it has not run yet"
                     (ob-mesos-reuse--explain "xone"))))
    (should (string-match-p "\\`xtwo is stale, because it depends on xone (it has not run yet)"
                            (ob-mesos-reuse--explain "xtwo")))
    (ob-mesos-reuse--stale)
    (let ((text (buffer-string)))
      (dolist (name '("xone" "xtwo" "xthree" "xfour"))
        (should (string-match-p (format "\\`%s is up to date: its result is from 20" name)
                                (ob-mesos-reuse--explain name))))
      (ob-mesos-reuse--change "echo \"xtwo" "echo \"2")
      (should (string-match-p "\\`xtwo is stale: text differs from the run that ended at .*(xtwo-"
                              (ob-mesos-reuse--explain "xtwo")))
      (ob-mesos-reuse--change "echo \"2" "echo \"xtwo")
      (ob-mesos-reuse--change ":var x=xone" ":var x=5")
      (should (string-match-p "\\`xtwo is stale: values differs from"
                              (ob-mesos-reuse--explain "xtwo")))
      (should (string-match-p "\\`xthree is stale, because it depends on xtwo (values differs"
                              (ob-mesos-reuse--explain "xthree")))
      (ob-mesos-reuse--change ":var x=5" ":var x=xone")
      (should (equal text (buffer-string))))
    (should (= 5 (runs)))
    ;; Tasks that were not to run are not listed.
    (ob-mesos-tests--wait
     (lambda ()
       (cl-notany (lambda (task) (equal "STALE" (plist-get task :reason)))
                  (plist-get (ob-mesos--call (ob-mesos--server) :task/list
                                             (make-hash-table :size 1))
                             :tasks))))))

(ert-deftest ob-mesos-a-group-tells-what-it-reuses ()
  (ob-mesos-reuse--with
      (ob-mesos-reuse--named "each" ":cache yes :foreach n='(11 12)" "RUN; echo $n")
    (let (hashes told)
      (cl-flet ((run ()
                  (ob-mesos-tests--go "#+begin_src")
                  (let ((noninteractive nil))
                    (cl-letf (((symbol-function 'message)
                               (lambda (&rest arguments)
                                 (push (apply #'format arguments) told))))
                      (ob-mesos-execute)
                      (ob-mesos-tests--settle)))
                  (should (re-search-forward
                           "^#\\+RESULTS\\[\\([0-9a-f]\\{64\\}\\)\\]: each\n: ==> 11 <==$"))
                  (push (match-string 1) hashes)))
        (run)
        (should-not (cl-find "is reused" told :test #'string-search))
        (run)
        (should (cl-find "the result of 2 of 2 members of each-" told :test #'string-search))
        (ob-mesos-reuse--change "'(11 12)" "'(11 12 13)")
        ;; What does not run is not counted.
        (ob-mesos-tests--go "#+begin_src")
        (let ((ob-mesos--slice 0))
          (ob-mesos-explain))
        (should-not (ob-mesos--running))
        (run)
        (should (cl-find "the result of 2 of 3 members of each-" told :test #'string-search)))
      (should (equal (nth 1 hashes) (nth 2 hashes)))
      (should-not (equal (nth 0 hashes) (nth 1 hashes)))
      (should (= 3 (runs))))))

(ert-deftest ob-mesos-a-failure-has-not-the-hash-of-an-earlier-result ()
  (ob-mesos-reuse--with (ob-mesos-reuse--named "h" ":cache yes" "echo ok")
    (dolist (case '(("echo ok" "^#\\+RESULTS\\[[0-9a-f]+\\]: h\n: ok$")
                    ("exit 3" "^#\\+RESULTS: h\n: mesos: h-.* FAILED")
                    ("echo on" "^#\\+RESULTS\\[[0-9a-f]+\\]: h\n: on$")))
      (goto-char (point-min))
      (re-search-forward "^\\(echo\\|exit\\) .*")
      (replace-match (car case) t t)
      (ob-mesos-tests--go "#+begin_src")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-match-p (cadr case) (buffer-string))))))

(ert-deftest ob-mesos-a-group-of-many-failures-names-the-first ()
  (ob-mesos-reuse--with
      (ob-mesos-reuse--named "each" ":foreach n=(number-sequence 1 12)" "exit 3")
    (ob-mesos-tests--go "#+begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (string-match-p
             "FAILED: 12 of 12 failed: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more$"
             (buffer-string)))
    ;; What each of them has said stands below.
    (should (string-match-p "==> 12 <==\n.*exited with status 3" (buffer-string)))))

(ert-deftest ob-mesos-the-failed-members-of-a-group-run-again ()
  (let ((gate (make-temp-name (expand-file-name "gate" temporary-file-directory))))
    (unwind-protect
        (ob-mesos-reuse--with
            (ob-mesos-reuse--named
             "each" ":foreach n='(1 2 3 4) :limit 2"
             (format "RUN; [ $n != 3 ] || [ -e %s ] || exit 7; echo \"n is $n\"" gate))
          (ob-mesos-tests--go "#+begin_src")
          (ob-mesos-execute)
          (ob-mesos-tests--settle)
          (should (string-match-p "FAILED: 1 of 4 failed: 3" (buffer-string)))
          (should (string-match-p "exit status: 7" (buffer-string)))
          (write-region "" nil gate nil 'silent)
          (ob-mesos-tests--go "#+begin_src")
          (ob-mesos-rerun-failed)
          (ob-mesos-tests--settle)
          (should (= 5 (runs)))
          (should (string-match-p
                   (concat "^: ==> 1 <==\n: n is 1\n: ==> 2 <==\n: n is 2\n"
                           ": ==> 3 <==\n: n is 3\n: ==> 4 <==\n: n is 4\n")
                   (buffer-string)))
          ;; One element more is all that runs.
          (ob-mesos-reuse--change "'(1 2 3 4)" "'(1 2 3 4 5)")
          (ob-mesos-tests--go "#+begin_src")
          (ob-mesos-rerun-failed)
          (ob-mesos-tests--settle)
          (should (= 6 (runs))))
      (delete-file gate))
    (ob-mesos-tests--with (ob-mesos-tests--block "" "true")
      (should-error (ob-mesos-rerun-failed) :type 'user-error))))

(ert-deftest ob-mesos-files-are-a-part-of-what-is-reused ()
  (let ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (unwind-protect
        (ob-mesos-reuse--with
            (concat (ob-mesos-reuse--named "one" ":results file graphics :file a.txt"
                                           "RUN; printf made > a.txt")
                    (ob-mesos-reuse--named "two" ":fetch sub/b.txt"
                                           "RUN; mkdir sub; printf b > sub/b.txt"))
          (ob-mesos-reuse--stale)
          (delete-file "a.txt")
          (delete-directory "sub" t)
          (should (string-match-p "(2 reused)" (ob-mesos-reuse--stale)))
          (should (= 2 (runs)))
          (dolist (file '(("a.txt" . "made") ("sub/b.txt" . "b")))
            (should (equal (cdr file) (with-temp-buffer
                                        (insert-file-contents (car file))
                                        (buffer-string))))))
      (delete-directory default-directory t))))

(ert-deftest ob-mesos-a-large-group-is-submitted-in-slices-and-what-needs-it-waits ()
  (ob-mesos-tests--with
      (concat (ob-mesos-reuse--named
               "many" (format ":foreach n='%S :cpus 0.01 :mem 1" (number-sequence 1 220))
               "echo $n")
              (ob-mesos-reuse--named "after" ":after many" "echo after"))
    (let* ((ob-mesos--slice 0.008)
           requests
           (counting (lambda (_server method params &rest _)
                       (when (eq method :task/submit)
                         (push (length (plist-get params :blocks)) requests)))))
      (advice-add 'ob-mesos--request :before counting)
      (unwind-protect
          (progn
            (ob-mesos--submit-buffer-and-wait)
            (ob-mesos-tests--settle))
        (advice-remove 'ob-mesos--request counting))
      ;; That which waits is submitted again with its values.
      (should (= 222 (apply #'+ requests)))
      (should (> (length requests) 2))
      (should (<= (apply #'max requests) 200))
      (should (string-match-p "==> 220 <==\n\\(?:: \\)?220\n" (buffer-string)))
      (should (string-match-p "^: after$" (buffer-string))))))

(ert-deftest ob-mesos-a-group-ends-that-is-killed-after-its-last-submitted-member ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block
       (format ":foreach n='%S :cpus 0.01 :mem 1" (number-sequence 1 150)) "true")
    (let* ((ob-mesos--members-at-once 3)
           (more nil))
      (ob-mesos-execute)
      (let ((group (ob-mesos--latest-task (point-min))))
        ;; No more are made until those that are there have ended.
        (setq more (ob-mesos-task-more group))
        (setf (ob-mesos-task-more group) (lambda () nil))
        (ob-mesos-tests--wait
         (lambda () (cl-every #'ob-mesos-task-done (ob-mesos-task-members group))))
        (setf (ob-mesos-task-more group) more)
        (ob-mesos--kill-task group)
        (ob-mesos-tests--settle)
        (should (ob-mesos-task-done group))))))

(ert-deftest ob-mesos-members-that-are-not-submitted-yet-are-killed-too ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block
       (format ":foreach n='%S :cpus 0.01 :mem 1" (number-sequence 1 450)) "sleep 1000")
    (let ((ob-mesos--slice 0.001))
      (ob-mesos-execute)
      (let ((group (ob-mesos--latest-task (point-min))))
        (should (ob-mesos-task-more group))
        (should (= 450 (ob-mesos-task-count group)))
        (ob-mesos--kill-task group)
        (ob-mesos-tests--settle)
        (should (string-match
                 "KILLED: \\([0-9]+\\) of 450 were not submitted; \\([0-9]+\\) of 450 failed: 1, 2,"
                 (buffer-string)))
        (should (= 450 (+ (string-to-number (match-string 1 (buffer-string)))
                          (string-to-number (match-string 2 (buffer-string))))))))))

;;;; What must not be reused, and what must

(ert-deftest ob-mesos-the-number-of-an-element-goes-in-wherever-it-is-used ()
  (dolist (use '((":prologue i=$OB_MESOS_INDEX n=$OB_MESOS_COUNT" . "echo $x $i of $n")
                 (":cmdline \"$OB_MESOS_INDEX $OB_MESOS_COUNT\"" . "echo $x $1 of $2")
                 ("" . "echo $x $OB_MESOS_INDEX of $OB_MESOS_COUNT")))
    (ob-mesos-tests--with
        (ob-mesos-reuse--named "e" (concat ":foreach x='(a b) " (car use)) (cdr use))
      (ob-mesos-reuse--stale)
      (should (string-match-p "^: a 0 of 2$" (buffer-string)))
      (ob-mesos-reuse--change "'(a b)" "'(b c a)")
      (ob-mesos-reuse--stale)
      (ert-info ((car use))
        (should (string-match-p "^: b 0 of 3\n: ==> c <==\n: c 1 of 3\n: ==> a <==\n: a 2 of 3$"
                                (buffer-string)))))))

(ert-deftest ob-mesos-a-result-without-its-file-is-none ()
  (let ((gate (make-temp-name (expand-file-name "gate" temporary-file-directory)))
        (default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (unwind-protect
        (ob-mesos-tests--with
            (ob-mesos-reuse--named "e" ":foreach x='(1 2) :fetch ./r.txt"
                                   (format "test $x = 2 -a ! -e %s || echo $x > r.txt" gate))
          (ob-mesos-tests--go "#+begin_src")
          (ob-mesos-execute)
          (ob-mesos-tests--settle)
          (should (string-match-p "1 of 2 failed: 2" (buffer-string)))
          (write-region "" nil gate nil 'silent)
          (ob-mesos-tests--go "#+begin_src")
          (ob-mesos-rerun-failed)
          (ob-mesos-tests--settle)
          (should-not (string-match-p "failed" (buffer-string)))
          (should (file-exists-p "r-1.txt")))
      (delete-file gate)
      (delete-directory default-directory t))))

(ert-deftest ob-mesos-a-file-outside-of-the-sandbox-is-made-again ()
  (let ((file (make-temp-name (expand-file-name "plot" temporary-file-directory))))
    (unwind-protect
        (ob-mesos-tests--with
            (ob-mesos-reuse--named "p" (format ":results file link :file %s" file)
                                   (format "echo picture > %s" file))
          (ob-mesos-reuse--stale)
          (delete-file file)
          (ob-mesos-reuse--stale)
          (should (file-exists-p file)))
      (delete-file file))))

(ert-deftest ob-mesos-to-explain-changes-no-file-and-runs-no-block ()
  (let ((default-directory (file-name-as-directory (make-temp-file "ob-mesos" t))))
    (unwind-protect
        (ob-mesos-reuse--with
            (concat (ob-mesos-reuse--named "xf" ":fetch out.txt" "echo made > out.txt")
                    (ob-mesos-reuse--named "xw" ":results file :file w.txt" "echo written")
                    (ob-mesos-reuse--named "cnt" ":mesos yes :results output" "RUN; echo 1" "sh")
                    (ob-mesos-reuse--named "noweb" ":noweb yes" "echo <<cnt()>>")
                    (ob-mesos-reuse--named "lisp" ":var c=cnt" "c" "emacs-lisp")
                    (ob-mesos-reuse--named "vialisp" ":var x=lisp" "echo $x")
                    "#+begin_src mesos\necho no name\n#+end_src\n")
          (let ((org-confirm-babel-evaluate nil))
            (ob-mesos-reuse--stale)
            (write-region "mine" nil "out.txt" nil 'silent)
            (write-region "mine" nil "w.txt" nil 'silent)
            (let ((before (runs)))
              (dolist (name '("xf" "xw" "noweb"))
                (should (string-match-p "is up to date" (ob-mesos-reuse--explain name))))
              (ob-mesos-reuse--change "; echo 1" "; echo 2")
              (should (string-match-p "vialisp is stale, because it depends on cnt (text differs"
                                      (ob-mesos-reuse--explain "vialisp")))
              (should (string-match-p "noweb is stale, because it depends on cnt (text differs"
                                      (ob-mesos-reuse--explain "noweb")))
              (should (= before (runs))))
            (dolist (file '("out.txt" "w.txt"))
              (should (equal "mine" (with-temp-buffer (insert-file-contents file)
                                                      (buffer-string)))))
            (goto-char (point-max))
            (search-backward "echo no name")
            (ob-mesos-explain)
            (ob-mesos-tests--settle)))
      (delete-directory default-directory t))))

(ert-deftest ob-mesos-programs-of-other-languages-are-the-same-each-time ()
  (ob-mesos-tests--with
      (concat "#+name: tab\n| 1 | 2 |\n\n"
              (ob-mesos-reuse--named "a" ":mesos yes :stdin tab" "{print $2}" "awk")
              (ob-mesos-reuse--named "p" ":mesos yes :results value" "return 5" "python")
              (ob-mesos-reuse--named "s" ":mesos yes :stdin tab" "cat" "sh")
              (ob-mesos-reuse--named "l" ":mesos yes" "print 5;" "perl"))
    (require 'ob-awk)
    (require 'ob-perl)
    (ob-mesos-reuse--stale)
    (should (string-match-p "4 done (4 reused)" (ob-mesos-reuse--stale)))
    (ob-mesos-reuse--change "| 1 | 2 |" "| 1 | 3 |")
    (should (string-match-p "s is stale: stdin differs" (ob-mesos-reuse--explain "s")))))

(ert-deftest ob-mesos-what-is-reused-is-inserted-once ()
  (dolist (header '(":results append" ":results prepend" ":results raw" ":wrap quote"
                    ":results drawer" ":results table" ":results silent" ":results list"))
    (ob-mesos-tests--with
        (concat (ob-mesos-reuse--named "one" header "echo para") "Text.\n")
      (ob-mesos-reuse--stale)
      (let ((text (buffer-string)))
        (ob-mesos-reuse--stale)
        (ob-mesos-reuse--stale)
        (ert-info (header)
          (should (equal text (buffer-string))))))))

;;;; Provenance

(ert-deftest ob-mesos-the-drawer-is-below-each-kind-of-result ()
  (dolist (header '(":results raw" ":wrap quote" ":results table" ":results drawer"
                    ":results list" ":results org" ":results html" ":results append"))
    (ob-mesos-tests--with
        (concat (ob-mesos-reuse--named "one" (concat ":provenance yes " header) "echo para")
                "Text.\n")
      ;; Org does not take away a quote when the block runs again.
      (dotimes (_ (if (equal header ":wrap quote") 1 2))
        (ob-mesos-tests--go "#+begin_src")
        (ob-mesos-execute '(4))
        (ob-mesos-tests--settle))
      (ert-info (header)
        (goto-char (point-min))
        (search-forward "#+RESULTS: one\n")
        (should-not (looking-at-p ":PROVENANCE:"))
        (search-forward "\n:PROVENANCE:\n")
        (should-not (search-forward ":PROVENANCE:" nil t))
        (should (search-forward ":END:\n" nil t))
        (should (looking-at-p "\\(?:.*\n\\)*Text\\.\n\\'")))))
  (dolist (body '("printf 'one\\n\\ntwo\\n'" "printf '* One\\ntwo\\n'" "printf -- '- one\\n- two\\n'"))
    (ob-mesos-tests--with
        (concat (ob-mesos-reuse--named "one" ":provenance yes :results raw" body) "Text.\n")
      (let ((text (buffer-string)))
        (ob-mesos-tests--go "#+begin_src")
        (ob-mesos-execute)
        (ob-mesos-tests--settle)
        (ert-info (body)
          (should (string-match-p "^\\(?:- \\)?two\n:PROVENANCE:\n\\(?:|.*\n\\)+:END:\n\nText.\n\\'"
                                  (buffer-string)))
          (ob-mesos-tests--undo)
          (should (equal text (buffer-string)))))))
  (ob-mesos-tests--with "A src_mesos[:provenance yes]{echo inl} word.\n"
    (ob-mesos-tests--go "src_mesos")
    (goto-char (match-beginning 0))
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (equal "A src_mesos[:provenance yes]{echo inl} {{{results(=inl=)}}} word.\n"
                   (buffer-string)))))

(ert-deftest ob-mesos-a-new-key-leaves-no-drawer-of-the-old-one ()
  (ob-mesos-tests--with
      (concat (ob-mesos-reuse--named "one" ":provenance yes :cache yes" "echo 1") "Text.\n")
    (dolist (change '(("echo 1" . "echo 1") ("echo 1" . "echo 2") ("echo 2" . "exit 3")
                      ("exit 3" . "echo 4")))
      (ob-mesos-reuse--change (car change) (cdr change))
      (ob-mesos-tests--go "#+begin_src")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (ert-info ((cdr change))
        (should (= 1 (how-many "^:PROVENANCE:$" (point-min) (point-max))))
        (should (string-match-p "^:END:\n\nText\\.\n\\'" (buffer-string)))))))

(ert-deftest ob-mesos-a-second-run-with-provenance-is-one-step-of-undo ()
  (dolist (header '("" ":results drawer" ":results table" ":results append" ":wrap example"
                    ":results raw"))
    (ob-mesos-tests--with
        (concat (ob-mesos-reuse--named "one" (concat ":provenance yes " header) "echo constant")
                "Text.\n")
      (let (texts)
        (dotimes (_ 3)
          (push (buffer-string) texts)
          (undo-boundary)
          (ob-mesos-tests--go "#+begin_src")
          (ob-mesos-execute)
          (ob-mesos-tests--settle))
        (ert-info (header)
          (dolist (text texts)
            (ob-mesos-tests--undo (not (eq text (car texts))))
            (should (equal text (buffer-string)))))))))

(ert-deftest ob-mesos-a-result-says-how-it-came-about ()
  (ob-mesos-tests--with
      (concat (ob-mesos-reuse--named "one" ":provenance yes" "echo 1") "Text.\n")
    (dotimes (_ 2)
      (ob-mesos-tests--go "#+begin_src")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-match-p
               (concat "^#\\+RESULTS: one\n: 1\n:PROVENANCE:\n"
                       "| task +| one-[a-z2-7]+ |\n| master +| local |\n| agent +| .+ |\n"
                       "| started +| 20.+ |\n| ended +| 20.+ |\n| exit +| status 0 |\n"
                       "| usage +| .+ |\n| key +| [0-9a-f]\\{64\\} |\n"
                       "| versions | ob-mesos [0-9.]+, Emacs .+, Org .+ |\n:END:\n\nText.\n\\'")
               (buffer-string))))
    ;; It is a part of the result for undo.
    (undo-boundary)
    (setq last-command nil)
    (undo)
    (undo-more 1)
    (should-not (string-match-p "PROVENANCE.*PROVENANCE" (buffer-string)))))

(ert-deftest ob-mesos-provenance-is-written-on-demand-and-for-groups ()
  (ob-mesos-tests--with
      (concat (ob-mesos-reuse--named "one" "" "echo a b")
              (ob-mesos-reuse--named "two" ":instances 3 :provenance yes" "[ $OB_MESOS_INDEX != 1 ]"))
    (should-error (ob-mesos-provenance) :type 'user-error)
    (ob-mesos--submit-buffer-and-wait)
    (ob-mesos-tests--settle)
    (should (string-match-p "^| members +| 3 +|$" (buffer-string)))
    (should (string-match-p "^| exit +| .*status 1.*|$" (buffer-string)))
    (ob-mesos-tests--go "#+begin_src")
    (ob-mesos-provenance)
    (should (string-match-p "^: a b\n:PROVENANCE:\n| task" (buffer-string)))
    ;; It goes with its result: another result,
    (ob-mesos-tests--go "#+begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (string-match-p "^: a b\n\n" (buffer-string)))
    ;; and no result.
    (search-forward ":provenance yes")
    (ob-mesos-global-mode 1)
    (org-babel-remove-result)
    (should-not (string-match-p ":PROVENANCE:" (buffer-string)))))

(ert-deftest ob-mesos-an-export-shows-the-provenance-as-a-table ()
  (ob-mesos-tests--with
      (ob-mesos-reuse--named "one" ":provenance yes :exports both" "echo 1")
    (require 'ox-html)
    (let* ((org-confirm-babel-evaluate nil)
           (html (org-export-as 'html nil nil t)))
      (should (string-match-p "<td[^>]*>versions</td>" html))
      (should (string-match-p "<td[^>]*>one-[a-z2-7]+</td>" html)))))

(ert-deftest ob-mesos-an-export-without-a-result-has-no-provenance ()
  (dolist (exports '("code" "none" "results"))
    (ob-mesos-tests--with
        (concat (ob-mesos-reuse--named
                 "one" (concat ":provenance yes :exports " exports) "echo 1")
                "\n#+RESULTS: one\n: 1\n:PROVENANCE:\n| task | earlier |\n:END:\n\nText.\n")
      (require 'ox-html)
      (ob-mesos-global-mode 1)
      (let* ((org-confirm-babel-evaluate nil)
             (html (org-export-as 'html nil nil t)))
        (should (string-match-p "Text\\." html))
        (should-not (string-match-p "earlier" html))
        (should (eq (equal exports "results")
                    (and (string-match-p "<td[^>]*>versions</td>" html) t)))))))

(provide 'ob-mesos-reuse-tests)
;;; ob-mesos-reuse-tests.el ends here

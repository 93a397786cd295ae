;;; ob-mesos-resume-tests.el --- Blocks that run or wait meanwhile  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Documents that are visited again, by this Emacs or by another one, while
;; their blocks run or wait; and runs of documents whose blocks run.

;;; Code:

(require 'ob-mesos-flow-tests)

;;;; Documents that are visited again

(defmacro ob-mesos-resume-tests--visited-again (text forget &rest body)
  "Execute the last block of TEXT in a file, and visit the file again.
GO in TEXT is a file that a block waits for.  With FORGET non-nil, Emacs
has no data of tasks, like another Emacs.  Then run BODY."
  (declare (indent 2))
  `(let* ((directory (make-temp-file "ob-mesos" t))
          (go (expand-file-name "go" directory))
          (file (expand-file-name "a.org" directory))
          (inhibit-message t) (make-backup-files nil) (org-confirm-babel-evaluate nil))
     (with-current-buffer (find-file-noselect file)
       (insert (string-replace "GO" go ,text))
       (re-search-backward "^#\\+begin_src mesos")
       (ob-mesos-execute)
       (save-buffer)
       (kill-buffer))
     (when ,forget
       (clrhash ob-mesos--tasks)
       (setq ob-mesos--waiting-tasks nil))
     (with-current-buffer (find-file-noselect file)
       (unwind-protect
           (progn (ob-mesos-reconnect)
                  ,@body)
         (write-region "" nil go nil 'silent)
         (ob-mesos-tests--end-all)
         (set-buffer-modified-p nil)
         (kill-buffer)
         (delete-directory directory t)))))

(defconst ob-mesos-resume-tests--gate "until [ -e GO ]; do sleep 0.05; done; ")

(ert-deftest ob-mesos-post-finds-its-block-in-a-document-that-is-visited-again ()
  (dolist (forget '(nil t))
    (ob-mesos-resume-tests--visited-again
        (concat "#+name: wrapit\n#+begin_src emacs-lisp :var x=\"\"\n(format \"<%s>\" x)\n#+end_src\n\n"
                (ob-mesos-tests--block ":post wrapit(x=*this*)"
                                       (concat ob-mesos-resume-tests--gate "printf hi")))
        forget
      (write-region "" nil go nil 'silent)
      (ob-mesos-tests--wait (lambda () (string-search ": <hi>" (buffer-string)))))))

(ert-deftest ob-mesos-a-group-that-waited-for-values-runs-in-another-emacs ()
  (dolist (forget '(nil t))
    (ob-mesos-resume-tests--visited-again
        (concat (ob-mesos-flow--named "src" "" (concat ob-mesos-resume-tests--gate "echo 1; echo 2"))
                (ob-mesos-flow--named "group" ":foreach x=src" "echo \"got $x\""))
        forget
      (write-region "" nil go nil 'silent)
      (ob-mesos-tests--wait
       (lambda () (string-match-p "got 1\n.*==> 2 <==\n.*got 2" (buffer-string)))))))

(ert-deftest ob-mesos-a-waiting-group-in-a-document-is-not-run-without-a-question ()
  (let ((ran (make-temp-file "ob-mesos")))
    (ob-mesos-resume-tests--visited-again
        (concat (ob-mesos-flow--named "group" ":foreach x=src" (format "echo ran >> %s" ran))
                (ob-mesos-flow--named "src" "" "echo 1; echo 2"))
        nil
      (let ((id (progn (ob-mesos-tests--settle)
                       (ob-mesos-task-id (car (hash-table-values ob-mesos--tasks)))))
            (org-confirm-babel-evaluate t)
            asked)
        (goto-char (point-min))
        (search-forward "#+end_src\n")
        (insert (format "\n#+RESULTS: group\n: mesos:group-abcdefghij QUEUED waits for its values: %s\n" id))
        (cl-letf (((symbol-function 'yes-or-no-p)
                   (lambda (prompt) (setq asked prompt) nil)))
          (ob-mesos-reconnect)
          (ob-mesos-tests--wait
           (lambda () (string-search "mesos: group-abcdefghij ERROR: group" (buffer-string)))))
        (should (string-match-p "Evaluate this mesos code block.*group" asked))
        (should (= 0 (file-attribute-size (file-attributes ran))))
        (should (equal ": 1\n: 2\n" (ob-mesos-flow--result "src")))))
    (delete-file ran)))

(ert-deftest ob-mesos-a-group-that-waited-in-vain-says-why-in-another-emacs ()
  (ob-mesos-resume-tests--visited-again
      (concat (ob-mesos-flow--named "src" "" (concat ob-mesos-resume-tests--gate "exit 3"))
              (ob-mesos-flow--named "group" ":foreach x=src" "echo \"got $x\""))
      t
    (write-region "" nil go nil 'silent)
    (ob-mesos-tests--wait
     (lambda () (string-match-p "mesos: group-.* ERROR: The task needs src-.* FAILED"
                                (buffer-string))))))

(ert-deftest ob-mesos-another-emacs-gives-up-what-needs-a-group-without-a-place ()
  (dolist (header '(":foreach x=one" ":var x=one y=src"))
    (ob-mesos-resume-tests--visited-again
        (concat (ob-mesos-flow--named "src" "" (concat ob-mesos-resume-tests--gate "echo 1"))
                (ob-mesos-flow--named "one" ":var s=src :foreach e='(a b)" "echo $s $e")
                (ob-mesos-flow--named "two" header "echo \"got $x\""))
        t
      (write-region "" nil go nil 'silent)
      (ob-mesos-tests--settle)
      (should (string-match-p "\\`: mesos: two-.* ERROR: It waited for values when Emacs"
                              (ob-mesos-flow--result "two"))))))

(ert-deftest ob-mesos-another-emacs-gives-the-value-of-a-whole-group ()
  (dolist (forget '(nil t))
    (ob-mesos-resume-tests--visited-again
        (concat (ob-mesos-flow--named "one" ":foreach e='(\"a\" \"b\")"
                                      (concat ob-mesos-resume-tests--gate "echo $e"))
                (ob-mesos-flow--named "two" ":var x=one" "echo $x"))
        forget
      (write-region "" nil go nil 'silent)
      (ob-mesos-tests--settle)
      (should (equal ": ==> a <== a ==> b <== b\n" (ob-mesos-flow--result "two"))))))

(ert-deftest ob-mesos-a-block-whose-values-another-emacs-cannot-tell-apart-is-not-run ()
  (dolist (forget '(nil t))
    (ob-mesos-resume-tests--visited-again
        (concat (ob-mesos-flow--named "f" ":var n=0" (concat ob-mesos-resume-tests--gate "echo $n"))
                (ob-mesos-flow--named "two" ":var x=f(n=1) y=f(n=2)" "echo $x $y"))
        forget
      (write-region "" nil go nil 'silent)
      (ob-mesos-tests--settle)
      (should (string-match-p (if forget "\\`: mesos: two-.* ERROR: It waited for values when Emacs"
                                "\\`: 1 2\n")
                              (ob-mesos-flow--result "two"))))))

(ert-deftest ob-mesos-another-emacs-expands-a-waiting-block-as-the-first-one ()
  (dolist (header '("" ":foreach e=one :results table"))
    (dolist (forget '(nil t))
      (ob-mesos-resume-tests--visited-again
          (concat (ob-mesos-flow--named "lib" "" "y=7")
                  (ob-mesos-flow--named "one" "" (concat ob-mesos-resume-tests--gate "echo 1"))
                  (ob-mesos-flow--named
                   "two" (concat ":noweb yes :cpus (/ 1 2.0) :prologue (concat \"p=\" \"5\") "
                                 ":var x=one z=(+ 40 2) " header)
                   "<<lib>>\necho $x $y $p $z"))
          forget
        (write-region "" nil go nil 'silent)
        (ob-mesos-tests--settle)
        (should (equal (if (equal header "") ": 1 7 5 42\n" "| 1 | 7 | 5 | 42 |\n")
                       (ob-mesos-flow--result "two")))))))

(ert-deftest ob-mesos-a-block-that-runs-is-known-in-a-document-that-is-visited-again ()
  (dolist (forget '(nil t))
    (ob-mesos-resume-tests--visited-again
        (concat (ob-mesos-flow--named "one" "" (concat ob-mesos-resume-tests--gate "echo 1"))
                "* End\n")
        forget
      (let (asked)
        (ob-mesos-tests--wait
         (lambda () (cl-every #'ob-mesos-task-data (ob-mesos--running))))
        (goto-char (point-max))
        (ob-mesos-jump)
        (should (looking-at-p "#\\+begin_src"))
        (let ((noninteractive nil))
          (cl-letf (((symbol-function 'read-multiple-choice)
                     (lambda (prompt &rest _) (setq asked prompt) '(?c))))
            (ob-mesos-execute)))
        (should (string-match-p "\\`one-.* runs already" asked))
        (should (= 1 (length (ob-mesos--running))))
        (write-region "" nil go nil 'silent)
        (ob-mesos-tests--settle)
        (should (equal ": 1\n" (ob-mesos-flow--result "one")))))))

(ert-deftest ob-mesos-a-waiting-block-that-was-changed-is-not-evaluated-without-a-question ()
  (dolist (change '(" z=(write-region \"\" nil \"evil\")" " :eval never"))
    (ob-mesos-resume-tests--visited-again
        (concat (ob-mesos-flow--named "src" "" (concat ob-mesos-resume-tests--gate "echo 1"))
                (ob-mesos-flow--named "two" ":var x=src" "echo got $x"))
        t
      (let ((org-confirm-babel-evaluate t) asked)
        (goto-char (point-min))
        (search-forward ":var x=src")
        (insert change)
        (write-region "" nil go nil 'silent)
        (cl-letf (((symbol-function 'yes-or-no-p)
                   (lambda (prompt) (setq asked prompt) nil)))
          (ob-mesos-tests--wait
           (lambda () (string-match-p "mesos: two-.* \\(ERROR\\|KILLED\\)" (buffer-string)))))
        (should (or asked (string-search "never" change)))
        (should-not (file-exists-p "evil"))))))

(ert-deftest ob-mesos-a-question-about-a-waiting-block-that-is-quit-is-asked-again ()
  (dolist (header '(":var x=src" ":foreach x=src"))
    (ob-mesos-resume-tests--visited-again
        (concat (ob-mesos-flow--named "src" "" (concat ob-mesos-resume-tests--gate "echo 1"))
                (ob-mesos-flow--named "two" header "echo got $x"))
        t
      (let ((org-confirm-babel-evaluate t) (asked 0))
        (cl-letf (((symbol-function 'yes-or-no-p)
                   (lambda (_prompt) (cl-incf asked) (signal 'quit nil))))
          (ob-mesos-tests--wait (lambda () (> asked 0)))
          (ob-mesos-tests--wait (lambda () (null ob-mesos--work))))
        (write-region "" nil go nil 'silent)
        (cl-letf (((symbol-function 'yes-or-no-p)
                   (lambda (_prompt) (cl-incf asked) t)))
          (ob-mesos-reconnect)
          (ob-mesos-tests--wait (lambda () (string-search "got 1" (buffer-string)))))
        (should (> asked 1))))))

(ert-deftest ob-mesos-a-copy-does-not-submit-the-waiting-group-of-the-original ()
  (ob-mesos-resume-tests--visited-again
      (concat (ob-mesos-flow--named "src" "" (concat ob-mesos-resume-tests--gate "echo 1"))
              (ob-mesos-flow--named "group" ":foreach x=src" "echo \"got $x\""))
      t
    (let ((text (buffer-string)) (original (current-buffer)))
      (write-region "" nil go nil 'silent)
      (ob-mesos-tests--settle)
      (clrhash ob-mesos--tasks)
      (with-current-buffer (find-file-noselect (expand-file-name "copy.org" directory))
        (insert text)
        (ob-mesos-reconnect)
        (ob-mesos-tests--wait
         (lambda () (string-search "ERROR: It waited for values" (buffer-string))))
        (set-buffer-modified-p nil)
        (kill-buffer))
      (set-buffer original))))

(ert-deftest ob-mesos-a-placeholder-of-too-many-tasks-is-no-work ()
  (ob-mesos-tests--with
      (concat (ob-mesos-tests--block ":foreach x=b" "true")
              "\n#+RESULTS:\n: mesos:a-abcdefghij QUEUED waits for its values: b-abcdefghij (20000000)\n")
    (ob-mesos-reconnect)
    (ob-mesos-tests--wait
     (lambda () (string-search "10000 can be run" (buffer-string))))))

(ert-deftest ob-mesos-a-running-block-of-a-reopened-document-is-run-once-for-another ()
  (ob-mesos-resume-tests--visited-again
      (concat (ob-mesos-flow--named "two" ":var x=one" "echo got $x")
              (ob-mesos-flow--named "one" "" (concat ob-mesos-resume-tests--gate "echo x >> GO.ran; echo 1")))
      t
    (ob-mesos-tests--wait (lambda () (cl-every #'ob-mesos-task-data (ob-mesos--running))))
    (ob-mesos-flow--execute "two")
    (write-region "" nil go nil 'silent)
    (ob-mesos-tests--settle)
    (should (equal ": got 1\n" (ob-mesos-flow--result "two")))
    (should (= 2 (file-attribute-size (file-attributes (concat go ".ran")))))))

;;;; Blocks that run already

(ert-deftest ob-mesos-groups-and-inline-blocks-that-run-are-asked-about ()
  (dolist (text (list (ob-mesos-tests--block ":foreach x='(1 2)" "sleep 600")
                      "- item\n\n  src_mesos{sleep 600} text\n"))
    (ob-mesos-tests--with text
      (re-search-forward "begin_src\\|src_")
      (ob-mesos-execute)
      (let ((running (ob-mesos--running)) (noninteractive nil) asked)
        (cl-letf (((symbol-function 'read-multiple-choice)
                   (lambda (prompt &rest _) (setq asked prompt) '(?l)))
                  ((symbol-function 'yes-or-no-p) #'ignore))
          (let ((org-confirm-babel-evaluate t))
            (ob-mesos-execute-buffer)))
        (ob-mesos-tests--wait (lambda () (null ob-mesos--work)))
        (should asked)
        (should (equal running (ob-mesos--running))))
      (ob-mesos-tests--end-all))))

(ert-deftest ob-mesos-no-task-is-killed-before-the-user-has-confirmed-the-run ()
  (ob-mesos-tests--with (ob-mesos-flow--named "one" "" "sleep 600")
    (ob-mesos-flow--execute "one")
    (let ((task (car (ob-mesos--running))) (noninteractive nil))
      (cl-letf (((symbol-function 'read-multiple-choice) (lambda (&rest _) '(?k)))
                ((symbol-function 'yes-or-no-p) #'ignore))
        (let ((org-confirm-babel-evaluate t))
          (ob-mesos-execute-buffer)))
      (ob-mesos-tests--wait (lambda () (null ob-mesos--work)))
      (should-not (ob-mesos-task-killed task))
      (should (equal (list task) (ob-mesos--running))))
    (ob-mesos-tests--end-all)))

(ert-deftest ob-mesos-blocks-that-run-already-are-left-or-killed-as-the-user-says ()
  (dolist (answer '(?l ?k ?c))
    (ob-mesos-tests--with
        (concat (ob-mesos-flow--named "one" "" "sleep 600")
                (ob-mesos-flow--named "two" "" "echo 2"))
      (let ((first (progn (ob-mesos-flow--execute "one") (car (ob-mesos--running))))
            (noninteractive nil))
        (cl-letf (((symbol-function 'read-multiple-choice)
                   (lambda (&rest _) (list answer))))
          (ob-mesos-execute-buffer))
        (ob-mesos-tests--wait (lambda () (null ob-mesos--work)))
        (pcase answer
          (?c (should (equal (list first) (ob-mesos--running)))
              (should-not (string-search "#+RESULTS: two" (buffer-string))))
          (?l (ob-mesos-tests--wait
               (lambda () (equal ": 2\n" (ignore-errors (ob-mesos-flow--result "two")))))
              (should (equal (list first) (ob-mesos--running))))
          (?k (ob-mesos-tests--wait (lambda () (ob-mesos-task-done first)))
              (should (equal "KILLED" (ob-mesos-task-state first)))
              (ob-mesos-tests--wait
               (lambda () (equal ": 2\n" (ignore-errors (ob-mesos-flow--result "two")))))
              (should (= 1 (length (ob-mesos--running))))
              (should (string-match-p "\\`: mesos:one-"
                                      (ob-mesos-flow--result "one")))))
        (mapc #'ob-mesos--kill-task (ob-mesos--running))
        (ob-mesos-tests--settle)))))

(ert-deftest ob-mesos-a-running-block-that-is-yanked-after-its-end-has-its-result ()
  (dolist (take '(org-cut-subtree org-copy-subtree))
    (ob-mesos-tests--with
        (concat "* A\n" (ob-mesos-tests--block "" "sleep 0.3; echo hi") "\ntext\n* B\n")
      (search-forward "#+begin_src")
      (ob-mesos-execute)
      (goto-char (point-min))
      (funcall take)
      (ob-mesos-tests--settle)
      (goto-char (point-max))
      (let ((this-command 'org-yank))
        (yank)
        (run-hooks 'post-command-hook))
      (should (= (if (eq take 'org-cut-subtree) 1 2)
                 (how-many "^#\\+RESULTS:\n: hi\n\ntext" (point-min) (point-max))))
      (should-not (string-search "mesos:" (buffer-string))))))

(provide 'ob-mesos-resume-tests)
;;; ob-mesos-resume-tests.el ends here

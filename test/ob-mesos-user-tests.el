;;; ob-mesos-user-tests.el --- What a user does all day  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Narrowing, copies of files, typing ahead, errors and other buffers.

;;; Code:

(require 'ob-mesos-tests)

;;;; Where it is

(ert-deftest ob-mesos-a-block-runs-in-a-narrowed-buffer ()
  (ob-mesos-tests--with
      (concat "* One\n" (ob-mesos-tests--block "" "echo one")
              "* Two\n" (ob-mesos-tests--block "" "echo two") "* Three\n")
    (search-forward "* Two")
    (org-narrow-to-subtree)
    (search-forward "#+begin_src")
    (org-ctrl-c-ctrl-c)
    (ob-mesos-tests--settle)
    (should (string-search "RESULTS:\n: two\n" (buffer-string)))
    (widen)
    (goto-char (point-min))
    (search-forward "#+begin_src")
    (org-narrow-to-block)
    (org-ctrl-c-ctrl-c)
    (ob-mesos-tests--settle)
    (widen)
    (should (string-search "RESULTS:\n: one\n" (buffer-string)))))

(ert-deftest ob-mesos-a-block-that-has-waited-is-completed-in-its-own-buffer ()
  (let ((elsewhere (make-temp-file "ob-mesos" t)))
    (write-region "elsewhere\n" nil (expand-file-name "data.txt" elsewhere) nil 'silent)
    (ob-mesos-tests--with-file
        (concat "#+name: words\n: some words\n\n#+name: double\n"
                "#+begin_src emacs-lisp :var x=\"\"\n(concat x x)\n#+end_src\n\n"
                "#+name: one\n" (ob-mesos-tests--block "" "sleep 0.3; printf 1")
                "\n#+name: two\n"
                (ob-mesos-tests--block
                 ":var x=one :files data.txt :stdin words :post double(x=*this*)"
                 "printf \"$x \"; cat data.txt | tr '\\n' ' '; cat | tr -d '\\n'"))
      (write-region "here\n" nil (expand-file-name "data.txt" directory) nil 'silent)
      (search-forward "#+name: two")
      (forward-line 1)
      (ob-mesos-execute)
      (with-temp-buffer
        (setq default-directory (file-name-as-directory elsewhere))
        (ob-mesos-tests--settle))
      (should (string-search "#+RESULTS: two\n: 1 here some words1 here some words\n"
                             (buffer-string))))))

(ert-deftest ob-mesos-a-copy-of-a-document-gets-no-result ()
  (ob-mesos-tests--with-file (ob-mesos-tests--block "" "sleep 1; echo mine")
    (ob-mesos-execute)
    (save-buffer)
    (let* ((copy (expand-file-name "copy.org" directory))
           (other (progn (copy-file file copy) (find-file-noselect copy))))
      (unwind-protect
          (progn
            (let (said)
              (cl-letf (((symbol-function 'message)
                         (lambda (text &rest arguments)
                           (push (apply #'format text arguments) said))))
                (with-current-buffer other (ob-mesos-reconnect)))
              (should (string-search "/a.org are inserted there only"
                                     (car said))))
            (ob-mesos-tests--settle)
            (should (string-search "RESULTS:\n: mine\n" (buffer-string)))
            ;; Nor if the block was changed since.
            (goto-char (point-min))
            (search-forward "mine")
            (replace-match "other")
            (with-current-buffer other
              (ob-mesos-reconnect)
              (should-not (string-search ": mine" (buffer-string))))
            ;; Also not from an Emacs that has not submitted it.
            (clrhash ob-mesos--tasks)
            (with-current-buffer other
              (ob-mesos-reconnect)
              (ob-mesos-tests--wait
               (lambda ()
                 (let ((task (car (hash-table-values ob-mesos--tasks))))
                   (or (null task) (ob-mesos-task-done task)))))
              (should (string-search ": mesos:" (buffer-string)))
              (should-not (string-search ": mine" (buffer-string)))))
        (with-current-buffer other (set-buffer-modified-p nil))
        (kill-buffer other)))))

(ert-deftest ob-mesos-a-document-on-another-machine-has-its-files-there ()
  (require 'tramp)
  (require 'ob-python)
  (let ((tramp-methods (cons '("mock" (tramp-login-program "sh")
                               (tramp-login-args (("-i")))
                               (tramp-remote-shell "/bin/sh")
                               (tramp-remote-shell-args ("-c"))
                               (tramp-connection-timeout 10))
                             tramp-methods))
        (tramp-default-host-alist (cons (list "\\`mock\\'" nil (system-name))
                                        tramp-default-host-alist)))
    (ob-mesos-tests--with
        (concat "#+begin_src python :mesos yes :results value :dir work :files data.txt\n"
                "return open('data.txt').read()\n#+end_src\n")
      (setq default-directory
            (concat "/mock::" (file-name-as-directory (make-temp-file "ob-mesos" t))))
      (write-region "there" nil (expand-file-name "data.txt") nil 'silent)
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (equal ": there\n" (ob-mesos-tests--results))))))

;;;; Waiting

(ert-deftest ob-mesos-a-typed-key-does-not-stop-a-wait ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":wait yes" "sleep 0.2; echo done")
    (let ((unread-command-events (list ?a)))
      (with-timeout (20 (ert-fail "waits for ever"))
        (ob-mesos-execute)))
    (should (equal ": done\n" (ob-mesos-tests--results)))))

(ert-deftest ob-mesos-wait-returns-the-value ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":wait yes" "echo a value")
    (should (equal "a value\n" (org-babel-execute-src-block)))
    (should (equal ": a value\n" (ob-mesos-tests--results)))))

(ert-deftest ob-mesos-users-functions-run-as-they-would-by-themselves ()
  (ob-mesos-tests--with
      (concat "#+name: look\n#+begin_src emacs-lisp :var x=\"\"\n"
              "(format \"%s %s\" inhibit-read-only inhibit-quit)\n#+end_src\n\n"
              (ob-mesos-tests--block ":post look(x=*this*)" "sleep 0.1"))
    (let* (seen
           (org-babel-after-execute-hook
            (list (lambda () (push (list inhibit-read-only inhibit-quit (point)) seen)))))
      (search-forward "#+begin_src mesos")
      (ob-mesos-execute)
      (string-match "b" "abc")
      (ob-mesos-tests--settle)
      (should (equal (match-data) '(1 2)))
      (should (string-search ": nil nil\n" (buffer-string)))
      (should (equal (car seen)
                     (list nil nil (progn (goto-char (point-min))
                                          (search-forward "#+begin_src mesos")
                                          (line-beginning-position))))))))

;;;; Errors

(ert-deftest ob-mesos-an-error-while-the-value-is-made-is-shown-in-its-place ()
  (dolist (case '((":file no-such-directory/x" . "no-such-directory")
                  (":post nobody(x=*this*)" . "nobody")
                  (":post fails(x=*this*)" . "on purpose")))
    (ob-mesos-tests--with
        (concat (ob-mesos-tests--block
                 (concat (car case) (if (string-prefix-p ":file" (car case))
                                        " :results file" ""))
                 "echo output")
                "\n#+name: fails\n#+begin_src emacs-lisp :var x=1\n(error \"on purpose\")\n#+end_src\n")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (let ((results (ob-mesos-tests--results)))
        (should (string-search "Its result cannot be made: " results))
        (should (string-search (cdr case) results))
        (should (string-search ": output\n" results))))))

(ert-deftest ob-mesos-an-error-while-the-result-is-inserted-is-shown-too ()
  (dolist (indent '("" "  "))
    (ob-mesos-tests--with
        (concat "- item\n\n"
                (replace-regexp-in-string
                 "^\\(.\\)" (concat indent "\\1")
                 (ob-mesos-tests--block ":wrap 5" "echo hi")))
      (let ((text (buffer-string)))
        (search-forward "begin_src")
        (ob-mesos-execute)
        (ob-mesos-tests--settle)
        (should (string-search "Its result cannot be made: " (buffer-string)))
        (should-not (string-search "QUEUED" (buffer-string)))
        (ob-mesos-tests--undo)
        (should (equal text (buffer-string)))))))

(ert-deftest ob-mesos-a-bad-header-leaves-the-results-of-others-alone ()
  (ob-mesos-tests--with
      (concat (ob-mesos-tests--block "" "echo good") "\n"
              (ob-mesos-tests--block ":cpus lots" "true"))
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (let ((text (buffer-string)))
      (should-error (ob-mesos--submit-buffer-and-wait) :type 'user-error)
      (should (equal text (buffer-string))))))

(ert-deftest ob-mesos-a-read-only-buffer-stays-as-it-is ()
  (ob-mesos-tests--with (ob-mesos-tests--block "" "true")
    (let ((text (buffer-string)))
      (setq buffer-read-only t)
      (should-error (ob-mesos-execute) :type 'buffer-read-only)
      (should (equal text (buffer-string)))
      (should-not (ob-mesos--running)))))

(ert-deftest ob-mesos-a-buffer-that-becomes-read-only-waits-for-its-result ()
  (dolist (mode (list #'read-only-mode #'view-mode))
    (ob-mesos-tests--with-file ""
      (let ((go (expand-file-name "go" directory))
            (on ob-mesos-global-mode))
        (insert (ob-mesos-tests--block
                 "" (format "until [ -e %s ]; do sleep 0.05; done; echo done" go)))
        (unwind-protect
            (progn
              (ob-mesos-global-mode)
              (goto-char (point-min))
              (ob-mesos-execute)
              (let ((text (buffer-string)))
                (funcall mode 1)
                (write-region "" nil go nil 'silent)
                (ob-mesos-tests--settle)
                (should (equal text (buffer-string))))
              (funcall mode -1)
              (ob-mesos-tests--settle)
              (should (equal ": done\n" (ob-mesos-tests--results))))
          (unless on (ob-mesos-global-mode -1)))))))

(ert-deftest ob-mesos-after-counts-only-what-has-finished ()
  (ob-mesos-tests--with
      (concat "#+name: bad\n" (ob-mesos-tests--block "" "exit 3") "\n"
              "#+name: next\n" (ob-mesos-tests--block ":after bad" "echo ran"))
    (search-forward "begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (search-forward "#+name: next\n")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (string-match-p "#\\+RESULTS: next\n: mesos:.* ERROR: The task needs bad"
                            (buffer-string)))))

(ert-deftest ob-mesos-a-back-end-never-runs-its-process-here ()
  (let ((file (make-temp-name (expand-file-name "ob-mesos" temporary-file-directory))))
    (cl-letf (((symbol-function 'org-babel-execute:local)
               (lambda (_body _params)
                 (call-process "touch" nil nil nil file))))
      (ob-mesos-tests--with "#+begin_src local :mesos yes\nx\n#+end_src\n"
        (should-error (ob-mesos-execute))))
    (should-not (file-exists-p file))))

(ert-deftest ob-mesos-a-language-with-a-compiler-is-refused ()
  (cl-letf (((symbol-function 'org-babel-execute:compiled)
             (lambda (body _params)
               (org-babel-eval "cc -o x" body)
               (org-babel-eval "./x" ""))))
    (ob-mesos-tests--with "#+begin_src compiled :mesos yes\nx\n#+end_src\n"
      (should (string-search "more than one process"
                             (error-message-string
                              (should-error (ob-mesos-execute) :type 'user-error))))
      (should-not (ob-mesos--running)))))

(ert-deftest ob-mesos-a-language-that-is-loaded-later-is-on-the-cluster-too ()
  (let ((call (ob-mesos-tests--elsewhere
                (ob-mesos-tests--call
                 (ob-mesos-tests--emacs
                  "--eval"
                  (format "%S" '(progn
                                  (ob-mesos-global-mode)
                                  (require 'ob-sed)
                                  (princ (and (advice-member-p
                                               'ob-mesos 'org-babel-execute:sed)
                                              t)))))))))
    (should (equal "t" (nth 1 call)))))

(ert-deftest ob-mesos-a-run-asks-about-all-that-it-runs ()
  (ob-mesos-tests--with
      (concat "* One\n#+name: dep\n" (ob-mesos-tests--block "" "echo 1")
              "* Two\n" (ob-mesos-tests--block ":var x=dep" "echo $x"))
    (let ((org-confirm-babel-evaluate t) asked)
      (cl-letf (((symbol-function 'yes-or-no-p)
                 (lambda (prompt) (setq asked prompt) nil)))
        (search-forward "* Two")
        (ob-mesos-execute-subtree))
      (should (string-search "Run 2 blocks" asked)))))

;;;; Settings

(ert-deftest ob-mesos-the-users-defaults-are-theirs ()
  (let ((org-babel-default-header-args:mesos
         (list (cons :results "output") (cons :post "double(x=*this*)"))))
    (ob-mesos-tests--with
        (concat "#+name: double\n#+begin_src emacs-lisp :var x=\"\"\n(concat x x)\n#+end_src\n\n"
                "#+name: one\n" (ob-mesos-tests--block "" "sleep 0.3; printf 1") "\n"
                "#+name: two\n" (ob-mesos-tests--block ":var x=one" "printf \"<$x>\""))
      (search-forward "#+name: two\n")
      (dolist (run (list #'ob-mesos-execute #'org-babel-execute-src-block))
        (funcall run)
        (ob-mesos-tests--settle)
        (should (string-search "#+RESULTS: two\n: <11><11>\n" (buffer-string)))
        (should (equal org-babel-default-header-args:mesos
                       '((:results . "output") (:post . "double(x=*this*)"))))
        (search-backward "#+name: two\n")
        (forward-line 1)))))

(ert-deftest ob-mesos-text-of-an-example-is-no-setting ()
  (ob-mesos-tests--with
      (concat "#+begin_example\n#+MASTER: nowhere.example:5050\n#+end_example\n\n"
              (ob-mesos-tests--block "" "true"))
    (should (equal ob-mesos-master (ob-mesos--document-master)))))

(ert-deftest ob-mesos-a-secret-of-a-user-with-an-at-sign-is-found ()
  (cl-letf (((symbol-function 'auth-source-search)
             (lambda (&rest arguments)
               (and (equal (plist-get arguments :host) "host")
                    (equal (plist-get arguments :user) "me@corp.com")
                    (list (list :secret "hush"))))))
    (should (equal "hush" (gethash "PW" (ob-mesos--secrets
                                         "secret" "PW=me@corp.com@host"))))))

(ert-deftest ob-mesos-loads-where-the-version-of-org-is-not-known ()
  (should (equal 0 (car (ob-mesos-tests--call
                         (list (expand-file-name invocation-name invocation-directory)
                               "--batch" "-Q" "-L" ob-mesos--directory
                               "--eval" "(require 'org)"
                               "--eval" "(defun org-version (&rest _) \"N/A\")"
                               "--eval" "(require 'ob-mesos)"
                               "--eval" "(ob-mesos-global-mode)"
                               "--eval" "(require 'ox-ascii)"))))))

(ert-deftest ob-mesos-loading-changes-nothing ()
  (let* ((forms '(list org-mode-hook org-ctrl-c-ctrl-c-hook after-revert-hook
                       kill-emacs-hook kill-emacs-query-functions
                       global-mode-string org-src-lang-modes
                       (advice-member-p 'ob-mesos 'org-babel-execute:emacs-lisp)))
         (call (ob-mesos-tests--call
                (list (expand-file-name invocation-name invocation-directory)
                      "--batch" "-Q" "-L" ob-mesos--directory
                      "--eval"
                      (format "%S" `(progn
                                      (mapc #'require '(org ob ob-shell org-src jsonrpc
                                                        auth-source ansi-color ox
                                                        ob-emacs-lisp ob-exp))
                                      (let ((before ,forms))
                                        (require 'ob-mesos)
                                        (kill-emacs (if (equal before ,forms) 0 1)))))))))
    (should (equal 0 (car call)))))

(defmacro ob-mesos-user--while-a-result-above-comes-in (body &rest actions)
  "Below a block whose result has 60 lines, with another block b with BODY.
Run ACTIONS with `come-in', a function that lets the result come in."
  (declare (indent 1))
  `(ob-mesos-tests--with-file ""
     (let ((go (expand-file-name "go" directory)))
       (insert "#+name: a\n"
               (ob-mesos-tests--block
                "" (format "until [ -e %s ]; do sleep 0.05; done; seq 60" go))
               "\n\n#+name: b\n" (ob-mesos-tests--block "" ,body) "\n* Other\ntext\n")
       (cl-flet ((come-in (&rest _)
                   (write-region "" nil go nil 'silent)
                   (let ((noninteractive t))
                     (ob-mesos-tests--wait
                      (lambda () (org-with-wide-buffer
                                  (goto-char (point-min))
                                  (search-forward "\n60\n" nil t)))))))
         ,@actions))))

(ert-deftest ob-mesos-results-can-come-in-while-the-user-is-asked ()
  (ob-mesos-user--while-a-result-above-comes-in "echo first; sleep 600"
    (ob-mesos-tests--go "#+begin_src mesos")
    (ob-mesos-execute)
    (ob-mesos-tests--go "echo first")
    (ob-mesos-execute)
    (let ((id (ob-mesos-task-id (ob-mesos--task-at (org-babel-find-named-block "b"))))
          (noninteractive nil))
      (ob-mesos-tests--go "echo first")
      (cl-letf (((symbol-function 'read-multiple-choice)
                 (lambda (&rest _) (come-in) '(?k "kill"))))
        (ob-mesos-execute))
      (should (string-match "#\\+RESULTS: b\n: mesos:\\([^ ]+\\)" (buffer-string)))
      (should-not (equal id (match-string 1 (buffer-string)))))))

(ert-deftest ob-mesos-results-can-come-in-while-the-server-is-asked ()
  (ob-mesos-user--while-a-result-above-comes-in "echo first"
    (set-buffer-modified-p nil)
    (ob-mesos-tests--go "echo first")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (clrhash ob-mesos--tasks)
    (ob-mesos-tests--go "#+begin_src mesos")
    (ob-mesos-execute)
    (ob-mesos-tests--go "echo first")
    (cl-letf* ((call (symbol-function 'ob-mesos--call))
               ((symbol-function 'ob-mesos--call)
                (lambda (&rest arguments) (come-in) (apply call arguments))))
      (ob-mesos-provenance))
    (should (string-match-p "#\\+RESULTS: b\n: first\n:PROVENANCE:" (buffer-string)))))

(ert-deftest ob-mesos-jump-finds-a-group ()
  (ob-mesos-tests--with (concat "text\n\n" (ob-mesos-tests--block ":instances 2" "sleep 600"))
    (search-forward "sleep")
    (ob-mesos-execute)
    (goto-char (point-min))
    (ob-mesos-jump)
    (should (looking-at-p "#\\+begin_src"))
    (ob-mesos-tests--end-all)))

(ert-deftest ob-mesos-explaining-a-block-is-no-end-of-a-task ()
  (ob-mesos-tests--with (concat "#+name: new\n" (ob-mesos-tests--block "" "echo $RANDOM new"))
    (search-forward "echo")
    (let* (ended called
           (ob-mesos-ended-functions (list (lambda (_task) (setq ended t))))
           (ob-mesos-after-task-functions (list (lambda (_task) (setq called t)))))
      (ob-mesos-explain)
      (ob-mesos-tests--wait (lambda () ended))
      (should-not called))))

(provide 'ob-mesos-user-tests)
;;; ob-mesos-user-tests.el ends here

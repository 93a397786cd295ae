;;; ob-mesos-args.el --- Header arguments  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Checks the header arguments of a block and converts them to the fields
;; of the protocol, before the block is submitted.

;;; Code:

(require 'cl-lib)
(require 'auth-source)
(require 'ob-mesos-arguments)
(require 'ob-mesos-rpc)

(defcustom ob-mesos-cpus 0.1
  "Number of cpus of a block without `:cpus'."
  :type 'number
  :group 'ob-mesos)

(defcustom ob-mesos-mem 128
  "Memory in MiB of a block without `:mem'."
  :type 'number
  :group 'ob-mesos)

(defcustom ob-mesos-executor nil
  "The Mesos executor of a block without `:executor'.
By default, small blocks share an executor on each agent; see the option
`--share-limit' of the server."
  :type '(choice (const :tag "A shared one for small blocks" nil)
                 (const :tag "One of its own" "own")
                 (const :tag "A shared one" "shared"))
  :group 'ob-mesos)

(defconst ob-mesos--header-arguments
  (mapcan (lambda (argument)
            (pcase-let ((`(,name ,synonyms ,_ ,_ ,meaning) argument))
              (cons (cons name meaning)
                    (mapcar (lambda (synonym)
                              (cons synonym (format "the same as %s" name)))
                            synonyms))))
          ob-mesos--arguments)
  "The names of our header arguments and what each means.")

;;;; Values

(defun ob-mesos--bad (name value allowed)
  "Signal that header argument NAME cannot be VALUE, but must be ALLOWED."
  (user-error "`:%s' cannot be %s: it is %s" name
              (truncate-string-to-width (format "%S" value) 200 nil nil t) allowed))

(defun ob-mesos--number (name value relation bound)
  "VALUE of header argument NAME as a number.
RELATION is `above' or `from', and BOUND what it is above, or begins from."
  (let ((number (cond ((numberp value) value)
                      ((and (stringp value)
                            (string-match-p "\\`-?[0-9]+\\(?:\\.[0-9]+\\)?\\'"
                                            value))
                       (string-to-number value)))))
    (if (and number (< number 1e9)
             (if (eq relation 'from) (>= number bound) (> number bound)))
        number
      (ob-mesos--bad name value
                     (format (if (eq relation 'from) "a number, at least %d"
                               "a number above %d")
                             bound)))))

(defun ob-mesos--whole (name value least most)
  "VALUE of header argument NAME as a whole number from LEAST to MOST."
  (if (and (integerp value) (<= least value most))
      value
    (ob-mesos--bad name value
                   (format "a whole number from %d to %d" least most))))

(defun ob-mesos--size (name value)
  "VALUE of header argument NAME as a number of MiB."
  (let* ((case-fold-search t)
         (text (format "%s" value))
         (size (and (string-match "\\`\\([0-9]+\\(?:\\.[0-9]+\\)?\\) ?\\([kmgt]?\\)i?b?\\'"
                                  text)
                    (* (string-to-number (match-string 1 text))
                       (pcase (downcase (match-string 2 text))
                         ("k" (/ 1.0 1024)) ("g" 1024) ("t" (* 1024 1024)) (_ 1))))))
    (if (and size (< 0 size 1e9)) size
      (ob-mesos--bad name value "a size in MiB, or with a unit: 512M, 2G"))))

(defun ob-mesos--memory (name value)
  "VALUE of header argument NAME as MiB, or as a plist of two: FROM..TO."
  (let ((text (format "%s" value)))
    (if (string-match "\\`\\(.*?\\)\\.\\.\\(.*\\)\\'" text)
        (let ((from (match-string 1 text))
              (to (match-string 2 text)))
          (list :from (ob-mesos--size name from) :to (ob-mesos--size name to)))
      (ob-mesos--size name value))))

(defun ob-mesos--words (name value)
  "VALUE of header argument NAME as a list: a list, or words as Lisp has them."
  (if (listp value) value
    (condition-case nil
        (split-string-and-unquote (format "%s" value))
      (error (ob-mesos--bad name value "words, or strings in quotes")))))

(defun ob-mesos--result-file (params)
  "Return the file of `:results file' in PARAMS, or nil if the result is none."
  (and (member "file" (cdr (assq :result-params params)))
       (cdr (assq :file params))))

(defun ob-mesos--environment (name value &optional allowed)
  "VALUE of header argument NAME as a hash table of variables.
ALLOWED is what the error says of its words, NAME=VALUE by default."
  (let ((table (make-hash-table :test #'equal :size 4)))
    (dolist (word (ob-mesos--words name value))
      (if (and (stringp word)
               (string-match "\\`\\([A-Za-z_][A-Za-z0-9_]*\\)=\\(\\(?:.\\|\n\\)*\\)\\'"
                             word))
          (puthash (match-string 1 word) (match-string 2 word) table)
        (ob-mesos--bad name word (or allowed "NAME=VALUE"))))
    table))

(defun ob-mesos--time (name value)
  "VALUE of header argument NAME as seconds; it can have a unit: s, m, h or d."
  (let ((text (format "%s" value)))
    (if (string-match "\\`\\([0-9]+\\(?:\\.[0-9]+\\)?\\)\\([smhd]?\\)\\'" text)
        (* (string-to-number (match-string 1 text))
           (pcase (match-string 2 text) ("m" 60) ("h" 3600) ("d" 86400) (_ 1)))
      (ob-mesos--bad name value "a time such as 90, 30m, 2h or 1d"))))

(defun ob-mesos--word (name value)
  "VALUE of header argument NAME as a word."
  (let ((text (format "%s" value)))
    (if (and (atom value) (string-match-p "\\`[^ \t\n\0]+\\'" text)) text
      (ob-mesos--bad name value "one word"))))

(defun ob-mesos--parsed-words (name value regexp allowed make)
  "The words of VALUE of header argument NAME as a vector.
Each matches REGEXP, or is not ALLOWED; MAKE makes something of it, with
the match data set."
  (vconcat
   (mapcar (lambda (word)
             (let ((word (format "%s" word)))
               (if (string-match (concat "\\`\\(?:" regexp "\\)\\'") word)
                   (funcall make word)
                 (ob-mesos--bad name word allowed))))
           (or (ob-mesos--words name value)
               (ob-mesos--bad name value allowed)))))

(defun ob-mesos--ports (name value)
  "VALUE of header argument NAME as the names of ports."
  (if (integerp value)
      (vconcat (mapcar #'number-to-string
                       (number-sequence 0 (1- (ob-mesos--whole name value 1 100)))))
    (ob-mesos--parsed-words name value "[A-Za-z][A-Za-z0-9_-]*"
                            "how many ports, from 1 to 100, or names for them"
                            #'identity)))

(defun ob-mesos--constraints (name value)
  "VALUE of header argument NAME as constraints."
  (ob-mesos--parsed-words
   name value
   (concat "\\([^: \t\n]+\\):"
           "\\(unique\\|cluster\\|group_by\\|like\\|unlike\\|max_per\\|is\\)"
           "\\(?::\\([^ \t\n]+\\)\\)?")
   "ATTRIBUTE:OPERATOR:VALUE, with UNIQUE, CLUSTER, GROUP_BY, LIKE, UNLIKE, MAX_PER or IS"
   (lambda (word)
     (list :attribute (match-string 1 word) :operator (match-string 2 word)
           :value (or (match-string 3 word) "")))))

(defun ob-mesos--expose (name value)
  "VALUE of header argument NAME as ports of a container and of its host."
  (ob-mesos--parsed-words
   name value "\\(?:\\([0-9]\\{1,5\\}\\):\\)?\\([0-9]\\{1,5\\}\\)"
   "HOST-PORT:CONTAINER-PORT, or a container's port"
   (lambda (word)
     (list :host (string-to-number (or (match-string 1 word) "0"))
           :container (string-to-number (match-string 2 word))))))

(defun ob-mesos--volumes (name value)
  "VALUE of header argument NAME as directories of the host for a container."
  (ob-mesos--parsed-words
   name value "\\([^:]+\\):\\(/[^:]*\\)\\(?::\\(r[ow]\\)\\)?"
   "PATH:/CONTAINER-PATH, or with :ro"
   (lambda (word)
     (let ((host (match-string 1 word))
           (container (match-string 2 word))
           (read-only (equal "ro" (match-string 3 word))))
       ;; A relative one is in the sandbox, and no matter of this machine's.
       (list :host (if (string-prefix-p "~" host) (expand-file-name host) host)
             :container container
             :readOnly (if read-only t :json-false))))))

(defun ob-mesos--uris (name value)
  "VALUE of header argument NAME as files for the agent to fetch."
  (ob-mesos--parsed-words
   name value
   (concat "\\(\\(?:[a-z][a-z0-9]*://\\|/\\).*?\\)"
           "\\(\\(?:\\+\\(?:extract\\|executable\\|cache\\|as=[^+]+\\)\\)*\\)")
   "a URI or an absolute path, with +extract, +executable, +cache or +as=NAME"
   (lambda (word)
     (let ((uri (match-string 1 word))
           (flags (split-string (match-string 2 word) "+" t)))
       (append (list :value uri)
               (mapcan (lambda (flag)
                         (if (string-prefix-p "as=" flag)
                             (list :name (substring flag 3))
                           (list (intern (concat ":" flag)) t)))
                       flags))))))

(defun ob-mesos--health (name value)
  "VALUE of header argument NAME as a health check; its port may be missing."
  (let ((text (format "%s" value)))
    (cond
     ((string-match "\\`cmd[ \t]+\\(\\(?:.\\|\n\\)+\\)\\'" text)
      (list :kind "cmd" :target (match-string 1 text)))
     ((string-match "\\`http[ \t]+\\([A-Za-z0-9_-]*\\)\\(/[^ \t\n]*\\)\\'" text)
      (list :kind "http" :port (match-string 1 text) :target (match-string 2 text)))
     ((string-match "\\`tcp\\(?:[ \t]+\\([A-Za-z0-9_-]+\\)\\)?\\'" text)
      (list :kind "tcp" :port (or (match-string 1 text) "")))
     (t (ob-mesos--bad name value "cmd COMMAND, http [PORT]/PATH or tcp [PORT]")))))

(defun ob-mesos--secrets (name value)
  "VALUE of header argument NAME as a hash table of secret variables."
  (let ((table (make-hash-table :test #'equal :size 4)))
    (maphash
     (lambda (variable entry)
       (pcase-let* ((at (cl-position ?@ entry :from-end t))
                    (host (substring entry (if at (1+ at) 0)))
                    (user (and at (substring entry 0 at)))
                    (found (car (apply #'auth-source-search :host host :max 1
                                       :require '(:secret)
                                       (and user (list :user user)))))
                    (secret (plist-get found :secret)))
         (unless secret
           (ob-mesos--bad name entry "USER@HOST or HOST of an entry of `auth-sources'"))
         (puthash variable (if (functionp secret) (funcall secret) secret)
                  table)))
     (ob-mesos--environment name value "NAME=HOST or NAME=USER@HOST"))
    table))

(defun ob-mesos--flag (name value meaning)
  "MEANING if VALUE of header argument NAME is yes, nil if it is no."
  (cond ((member (format "%s" value) '("t" "yes")) meaning)
        ((member (format "%s" value) '("no" "nil")) nil)
        (t (ob-mesos--bad name value "yes or no"))))

(defun ob-mesos--parse-value (name type value)
  "VALUE of header argument NAME, of TYPE, as the server wants it.
TYPE is (number RELATION BOUND), (whole LEAST MOST), (one-of WORD...),
\(flag MEANING), `any', or the name of a function of ours."
  (pcase type
    (`(number ,relation ,bound) (ob-mesos--number name value relation bound))
    (`(whole ,least ,most) (ob-mesos--whole name value least most))
    (`(one-of . ,words)
     (if (member (format "%s" value) words) value
       (ob-mesos--bad name value (string-join words " or "))))
    (`(flag ,meaning) (ob-mesos--flag name value meaning))
    ('any value)
    (_ (funcall (intern (format "ob-mesos--%s" type)) name value))))

(defun ob-mesos--argument (argument params)
  "The value of ARGUMENT, a row of `ob-mesos--arguments', in PARAMS, checked.
Return nil if there is none."
  (pcase-let ((`(,name ,synonyms ,type . ,_) argument))
    (cl-loop for each in (cons name synonyms)
             for value = (cdr (assq (intern (format ":%s" each)) params))
             when value return (ob-mesos--parse-value each type value))))

(defun ob-mesos--resources (params)
  "What PARAMS ask of the cluster, as a part of a block for the server.
All of our header arguments are checked."
  (let ((asked (append (list :cpus ob-mesos-cpus :mem ob-mesos-mem)
                       (and ob-mesos-executor (list :executor ob-mesos-executor)))))
    (dolist (argument ob-mesos--arguments)
      (let ((field (nth 3 argument))
            (value (ob-mesos--argument argument params)))
        (when (and field value)
          (setq asked
                (if (consp field)
                    (plist-put asked (car field)
                               (plist-put (plist-get asked (car field))
                                          (cadr field) value))
                  (plist-put asked field value))))))
    (ob-mesos--completed asked)))

(defun ob-mesos--completed (asked)
  "ASKED with what follows from it.
A container is run by docker unless something else is said, and is on
the bridge if it exposes something.  A health check is made at the first
port unless it names another."
  (when-let ((range (and (listp (plist-get asked :mem)) (plist-get asked :mem))))
    (setq asked (plist-put asked :mem (plist-get range :from))
          asked (plist-put asked :maxMem (plist-get range :to)))
    (when (< (plist-get range :to) (plist-get range :from))
      (user-error "`:mem' is FROM..TO, such as 1G..8G")))
  (let ((container (plist-get asked :container))
        (health (plist-get asked :health))
        (ports (append (plist-get asked :ports) nil)))
    (when container
      (unless (plist-get container :image)
        (user-error "`:%s' wants an `:image'"
                    (car (cl-find (list :container (car container))
                                  ob-mesos--arguments
                                  :test #'equal :key (lambda (row) (nth 3 row))))))
      (setq container (plist-put container :pull
                                 (if (equal "always" (plist-get container :pull))
                                     t :json-false)))
      (unless (plist-get container :containerizer)
        (setq container (plist-put container :containerizer "docker")))
      ;; The host's own network has nothing to expose.
      (when (and (plist-get container :expose)
                 (not (plist-get container :network)))
        (setq container (plist-put container :network "bridge")))
      (setq asked (plist-put asked :container container)))
    (when-let ((port (plist-get health :port)))
      (when (equal "" port)
        (setq port (or (car ports) "")
              asked (plist-put asked :health (plist-put health :port port))))
      (unless (or (member port ports)
                  (and (string-match-p "\\`[0-9]+\\'" port)
                       (<= 1 (string-to-number port) 65535)))
        (user-error "`:health' wants a port: its number, or one of `:ports'")))
    asked))

(defun ob-mesos--argument-named (name params)
  "The value of the header argument NAME, a symbol, in PARAMS, checked."
  (ob-mesos--argument (assq name ob-mesos--arguments) params))

(defun ob-mesos--check-empty (params)
  "Signal a `user-error' if a block with PARAMS cannot be empty.
It can be if its image's own command is to run, which takes nothing."
  (unless (ob-mesos--argument-named 'entrypoint params)
    (user-error "The block is empty"))
  (dolist (argument '(:files :stdin :cmdline :shebang))
    (when (cdr (assq argument params))
      (user-error "`%s' is for a block's body, and the block is empty" argument))))

(defun ob-mesos--stdin-reference (params)
  "Return what `:stdin' of PARAMS refers to, as text, or nil.
`interactive' refers to nothing: that is input to come."
  (let ((value (cdr (assq :stdin params))))
    (and value (not (ob-mesos--interactive-p params)) (format "%s" value))))

(defun ob-mesos--interactive-p (params)
  "Return non-nil if PARAMS have `:stdin interactive'."
  (equal "interactive" (format "%s" (cdr (assq :stdin params)))))

;;;; Completion

(defun ob-mesos--header-line-p ()
  "Whether point is where header arguments of a cluster's block are."
  (save-excursion
    (let ((case-fold-search t))
      (beginning-of-line)
      (or (looking-at-p "[ \t]*#\\+begin_src[ \t]+mesos\\_>")
          (looking-at-p "[ \t]*#\\+begin_src[ \t].*:mesos[ \t]+yes\\_>")
          (looking-at-p "[ \t]*#\\+\\(?:header\\|call\\|property\\):")))))

(defun ob-mesos-completion-at-point ()
  "Complete the header argument before point; for `completion-at-point-functions'."
  (when (and (ob-mesos--header-line-p)
             (looking-back "[ \t]\\(:[a-z-]*\\)" (line-beginning-position)))
    (list (match-beginning 1) (point)
          (mapcar (lambda (argument) (format ":%s" (car argument)))
                  ob-mesos--header-arguments)
          :exclusive 'no
          :annotation-function
          (lambda (name)
            (concat "  " (cdr (assq (intern (substring name 1))
                                    ob-mesos--header-arguments)))))))

(defun ob-mesos-insert-header-args (name value)
  "Insert the header argument NAME with VALUE for the block at point.
Insert it at the end of the line at point if that has header arguments, as
a call has, and of the first line of the block otherwise.  Blocks within a
line cannot get one."
  (interactive
   (let ((name (completing-read
                "Header argument: "
                (mapcar (lambda (argument) (symbol-name (car argument)))
                        ob-mesos--header-arguments)
                nil t)))
     (list name
           (read-string (format ":%s (%s): " name
                                (cdr (assq (intern name)
                                           ob-mesos--header-arguments)))))))
  (save-excursion
    (unless (ob-mesos--header-line-p)
      (let ((element (org-element-at-point)))
        (unless (eq 'src-block (org-element-type element))
          (user-error "There is no block or call here"))
        (goto-char (org-element-property :post-affiliated element))))
    (end-of-line)
    (delete-horizontal-space)
    (insert (format " :%s %s" name value))))

(defun ob-mesos--session (params)
  "Return the name of the session of PARAMS, or nil if they have none.
`:session' without a name is the session of the default name."
  (when-let ((argument (assq :session params)))
    (let ((name (cdr argument)))
      (cond ((equal name "none") nil)
            ((memq name '(nil t)) "default")
            ((equal name "") "default")
            (t (format "%s" name))))))

(provide 'ob-mesos-args)
;;; ob-mesos-args.el ends here

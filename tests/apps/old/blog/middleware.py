def remember_visit(get_response):
    def middleware(request):
        request.session['visits'] = request.session.get('visits', 0) + 1
        return get_response(request)
    return middleware
